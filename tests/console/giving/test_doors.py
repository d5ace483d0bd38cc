"""Every command that changes something either has a limit of what it gives away, or is named here as giving nothing."""

from commands.console.giving import GIVING
from commands.console.limited import LIMITED
from commands.console.releases import APPROVABLE
from models.console.approval import LimitedKind
from models.tables.configuration import ApprovalRulesRow
from tests.operations.test_cli_usage import commands
from tests.operations.test_cli_who_and_why import OTHERS, READS
from web.actions.forms import ACTIONS

# Decided one by one: no value leaves by them on a person's word alone. What collections give up is written off as their
# policy says, awards are within their merchant's limit of a day, and the bank's and the gateways' answers are theirs.
GIVES_NOTHING = frozenset(
    line.strip()
    for line in """
        supervise
        accounts import
        accounts create
        accounts edit
        accounts erase
        accounts suspend
        accounts terminate
        accounts reactivate
        accounts address
        subscriptions create
        subscriptions change
        subscriptions pause
        subscriptions resume
        subscriptions end
        cards register
        cards revalidate
        cards block
        cards remove
        cards set-default
        cards set-recurring
        cards resolve
        cards prefer
        cards adopt
        portal end-sessions
        transactions edit
        transactions reject
        transactions note
        documents print
        books close
        books reopen
        books grant
        books revoke
        bills make
        bills limit
        bills present
        bills confirm
        bills reject
        wallets debit
        wallets void
        wallets top-up
        wallets expire
        vouchers redeem
        vouchers expire
        refunds reject
        refunds confirm
        refunds adopt
        refunds retry
        refunds check
        refunds resolve
        refunds run
        refunds pause
        refunds resume
        reductions create
        reductions import
        reductions decide
        fraud block
        fraud unblock
        fraud release
        merchants apply
        merchants enable
        merchants disable
        merchants assign
        merchants release
        merchants connect
        merchants reconnect
        merchants refresh
        merchants disconnect
        disputes submit-evidence
        disputes check
        mandates create
        mandates sign
        mandates amend
        mandates cancel
        debits sent
        debits confirm
        debits refuse
        debits adopt
        reconcile start
        reconcile payout
        reconcile resolve
        reports update
        reports schedule set
        reports schedule remove
        reports schedule run
        billing start
        billing supplement
        runs start
        runs supplement
        runs pause
        runs resume
        runs abort
        runs rate
        runs shadow
        payments create
        payment-requests create
        payment-requests import
        payment-requests send
        payment-requests withdraw
        payment-requests attach
        payment-requests pay
        payment-requests resolve
        collections start
        collections retry
        collections skip
        collections extend
        collections give-up
        collections resolve
        collections assign
        messages resend
        messages bounces
        messages remind
        communicate send
        communicate stop
        communicate allow
        events replay
        webhooks apply
        definitions apply
        definitions switch
        definitions delete
        schedule apply
        schedule pause
        schedule resume
        schedule backfill
        schedule delete
        import rates
        recover declare
        recover dismiss
        recover read
        recover release
        recover adopt
        recover settle
        users add
        users change
        users disable
        users passkeys remove
        approvals ask
        approvals approve
        approvals reject
        approvals withdraw
        """.splitlines()
    if line.strip()
)


def test_every_command_is_decided_about() -> None:
    changing = {name for words, _ in commands() if (name := " ".join(words)) not in OTHERS and words[-1] not in READS}
    assert changing - GIVES_NOTHING - set(GIVING) == set(), "has it a limit, or does it give nothing away?"
    assert (GIVES_NOTHING | set(GIVING)) - changing == set(), "is no command any more"
    assert GIVES_NOTHING & set(GIVING) == set()


def test_every_action_of_the_console_is_one_of_these_commands() -> None:
    by = {action.command for action in ACTIONS.values()}
    assert by - GIVES_NOTHING - set(GIVING) == set()
    # What waits is carried out by its command, and is of a kind that the command may be of.
    assert all(one.kind in GIVING[one.command] for one in APPROVABLE.values())
    assert set(LIMITED) <= set(ACTIONS)


def test_every_kind_has_a_limit_in_the_rules_and_a_command() -> None:
    columns = {column.name for column in ApprovalRulesRow.__table__.columns}
    assert {f"{kind}s_minor" for kind in LimitedKind} <= columns
    assert {kind for kinds in GIVING.values() for kind in kinds} == set(LimitedKind)
