"""Each kind of discrepancy is brought about, found, listed, alerted once and ended by what its remedy says."""

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette

from models.reconciliation.discrepancy import KINDS
from sandbox.stripe.control.client import AccountSettings
from tests.bank.statements import camt, entry
from tests.fixtures.reconciling import ReconciliationClient
from tests.house.source import ROOT
from tests.reconciliation.dashboard import pay_in_the_dashboard
from tests.reconciliation.kinds.causes import BY_OTHER_TESTS, CAUSES, MISSING, WHO, Company
from tests.reconciliation.payouts.test_payouts import trace_of
from tests.support.command_line import CommandLine

COMMAND = re.compile(r"duly ((?:refunds create|reconcile resolve) \S+(?: --as explained)?)")
# Kinds whose remedy is no command: what the operator does instead.
KLARNA = "insert into duly.payment_methods (id, name, ledger_account) values ('klarna', 'Klarna', 'bank') returning id"
STATEMENTS = {"payout_not_arrived": "CRDT", "payout_sent_back": "DBIT"}


@pytest.fixture
def company(
    reconciling: ReconciliationClient, cli: CommandLine, stripe_app: Starlette, period: str, tmp_path: Path
) -> Company:
    """What a cause may touch."""
    return Company(reconciling, cli, stripe_app, period, tmp_path)


def test_every_kind_has_a_cause() -> None:
    functions = "".join(path.read_text() for path in sorted((ROOT / "migrations/functions").rglob("*.sql")))

    assert sorted([*CAUSES, *BY_OTHER_TESTS]) == sorted([*KINDS, *MISSING])
    assert [kind for kind, path in BY_OTHER_TESTS.items() if f'"{kind}"' not in (ROOT / path).read_text()] == []
    # Whatever the database lists is one of them.
    listed = re.findall(r"(?:list_movement\([^;]*?|note_discrepancy\([^;]*?)'([a-z_]+)'", functions)
    assert {one for one in listed if re.search("charge|refund|dispute|payout_|transfer_|unknown_", one)} <= {
        *KINDS,
        *("charge", "refund", "dispute", "refund_failure", "dispute_reversal"),
    }


@pytest.mark.gate_cases("foreign_charge", "unknown_movement")
@pytest.mark.parametrize("kind", sorted(CAUSES))
async def test_it_is_found_listed_alerted_once_and_ended_by_its_remedy(company: Company, kind: str) -> None:
    reconciling, cli = company.reconciling, company.cli
    await CAUSES[kind](company)

    await reconciling.reconcile()
    await reconciling.reconcile()
    every = await reconciling.discrepancies()
    found = [one for one in every if one.kind == kind]
    assert len(found) == 1, [(one.kind, one.object, one.state, one.evidence) for one in every]
    listed = (await cli.json("reconcile", "list", "--kind", kind, "--state", found[0].state))["discrepancies"]
    alerts = await alerts_of(reconciling, kind, found[0].object)
    # What moved so differs in its other traces too: all of it is ended.
    for one in (await cli.json("reconcile", "list"))["discrepancies"]:
        await end(company, one)
    certificates = [await reconciling.reconcile()]
    # What is ended stays ended, whatever moves next.
    reconciling.sandbox.set_account_settings(AccountSettings())
    await pay_in_the_dashboard(reconciling, await reconciling.merchant.account(), 300)
    certificates.append(await reconciling.reconcile())

    assert [one["id"] for one in listed] == [found[0].id]
    assert alerts == 1
    assert [one.open_discrepancies for one in certificates] == [0, 0]


@pytest.mark.nightly
async def test_a_payout_that_has_arrived_is_read_until_its_lines_add_up_or_somebody_has_explained_it(
    company: Company,
) -> None:
    unfinished = "select count(*) from duly.unfinished_payouts('stripe', 'infinity')"
    await CAUSES["payout_lines"](company)
    await company.reconciling.reconcile()
    (found,) = await company.reconciling.discrepancies()
    line = entry("B1", "23.97", text=await trace_of(company.reconciling, found.object))
    await company.cli.json("import", "bank", camt(company.folder, line))

    before = await company.reconciling.merchant.value(unfinished)
    await company.cli.json("reconcile", "resolve", found.id, "--as", "explained", *WHO)

    assert (found.kind, before, await company.reconciling.merchant.value(unfinished)) == ("payout_lines", 1, 0)


async def alerts_of(reconciling: ReconciliationClient, kind: str, subject: str) -> int:
    """Count the alerts that name an object as one of a kind."""
    alerts = await reconciling.merchant.run(
        "select to_jsonb(m)::text from duly.messages m where kind = 'discrepancies_found'"
    )
    return sum(f'"{kind}"' in alert and subject in alert for (alert,) in alerts)


async def end(company: Company, listed: dict[str, str]) -> None:
    """Do what the remedy of a discrepancy says."""
    kind = listed["kind"]
    if kind == "refused":
        await company.reconciling.merchant.run(KLARNA)
    elif kind in STATEMENTS:
        line = entry("B9", "23.97", side=STATEMENTS[kind], text=await trace_of(company.reconciling, listed["object"]))
        await company.cli.json("import", "bank", camt(company.folder, line))
    else:
        for command in COMMAND.findall(listed["remedy"]):
            await company.cli.json(*command.split(), *WHO)
