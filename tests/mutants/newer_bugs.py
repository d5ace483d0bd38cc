"""Bugs seeded into wallets, vouchers, debits, late payments, reports, refunds and what is carried past a fault."""

from tests.mutants.seeded_bugs import SeededBug

WALLET_RUNS = "migrations/functions/wallets/runs.sql"
VOUCHERS = "migrations/functions/vouchers/vouchers.sql"
CANCELLED_VOUCHERS = "migrations/functions/vouchers/cancelling.sql"
DEBITS = "migrations/functions/bank/debits.sql"
PROMOTIONAL = "migrations/functions/refunds/promotional.sql"
REPORT_SCHEDULES = "migrations/functions/reports/schedules.sql"
APPLICATION_FEES = "migrations/functions/merchants/application_fees.sql"
TRANSFERS = "migrations/functions/merchants/transfers.sql"
SUPERVISION = "migrations/functions/supervision/stops.sql"

SPENDING_TESTS = "tests/wallets/test_spending_by_runs.py"
VOUCHER_TESTS = "tests/vouchers/test_vouchers.py"
DEBIT_TESTS = "tests/bank/debits/test_direct_debits.py"
REPORT_TESTS = "tests/reports/test_scheduled_reports.py"
FEE_TESTS = "tests/merchants/providers/test_application_fees.py"
SUPERVISOR_TESTS = "tests/supervision/test_supervisor.py"
ACCEPTED_TESTS = "tests/supervision/commands/test_accepted_commands.py"

DESTINATION_TESTS = "tests/merchants/providers/destinations/test_destination_charges.py"
REFUSAL_TESTS = "tests/merchants/providers/destinations/test_refusals.py"

HOLDS = "migrations/functions/payments/holds.sql"
HOLD_TESTS = "tests/payments/fraud/test_holds.py"

NEWER_BUGS = (
    SeededBug(
        "a release is for every amount",
        HOLDS,
        "period = p_period and amount_minor = p_owed;\n    if h.released_at is null and (",
        "period = p_period;\n    if h.released_at is null and (",
        f"{HOLD_TESTS}::test_a_release_is_for_its_amount_alone_and_holds_for_the_tries_after_a_decline",
    ),
    SeededBug(
        "a run charges who was blocked after it began",
        "migrations/functions/gateway/attempts.sql",
        "if v_blocked <> '' then",
        "if false then",
        "tests/payments/fraud/test_block_list.py::test_who_is_blocked_after_the_freeze_is_passed_over_and_owes_on",
    ),
    SeededBug(
        "a payment that is taken for a merchant stays with the platform",
        "migrations/functions/gateway/attempt_rows.sql",
        "duly.refunds_application_fee(v_payee), v_destination,",
        "duly.refunds_application_fee(v_payee), '',",
        f"{DESTINATION_TESTS}::test_a_payment_goes_on_to_the_merchant_less_the_platforms_part",
    ),
    SeededBug(
        "what a customer got back stays with the merchant",
        TRANSFERS,
        "where b.of_request_id = r.id and b.state = 'posted';",
        "where b.of_request_id = r.id and b.state = 'reversed';",
        f"{DESTINATION_TESTS}::test_a_refund_is_taken_back_of_the_merchant_to_the_minor_unit",
    ),
    SeededBug(
        "a lost dispute gives the platform's part back to the merchant",
        TRANSFERS,
        "t.refunds_application_fee and v.cause = 'refund'",
        "t.refunds_application_fee",
        f"{DESTINATION_TESTS}::test_a_lost_dispute_is_taken_back_and_what_is_won_after_that_is_given_again",
    ),
    SeededBug(
        "what a merchant's balance does not have is asked for no more",
        TRANSFERS,
        "x.state <> 'settled' and x.next_try_at",
        "x.state = 'pending' and x.next_try_at",
        f"{DESTINATION_TESTS}::test_a_merchant_that_has_no_money_left_owes_it_until_it_has",
    ),
    SeededBug(
        "what somebody else took back of a merchant is taken back again",
        "migrations/functions/merchants/dues.sql",
        "-least(-v_left, greatest(v_excess, 0))",
        "v_left",
        "tests/merchants/providers/destinations/test_moved_by_others.py"
        "::test_a_refund_of_the_dashboard_that_takes_its_transfer_back_is_not_taken_back_again",
    ),
    SeededBug(
        "a customer of a merchant who cannot be paid is charged all the same",
        "migrations/functions/gateway/attempts.sql",
        "elsif duly.why_no_destination(p_account_id, p_provider_id) <> '' then",
        "elsif false then",
        f"{REFUSAL_TESTS}::test_nothing_is_taken_for_a_merchant_that_takes_no_transfers",
    ),
    SeededBug(
        "what the platform gives back is taken of the merchant once more",
        APPLICATION_FEES,
        "case when e.application_fee_minor > 0 then 'platform_fee' else 'platform_fee_refund' end",
        "'platform_fee'",
        f"{FEE_TESTS}::test_a_refund_gives_the_fee_back_pro_rata_where_the_rule_says_so",
    ),
    SeededBug(
        "nothing is expected on the platform's account of what a merchant paid to it",
        APPLICATION_FEES,
        "id = p_provider_id and merchant_id is not null and gateway_account is not null\n$$;\n\n-- The charge",
        "false\n$$;\n\n-- The charge",
        f"{FEE_TESTS}::test_what_the_platform_takes_is_the_merchants_cost_and_the_platforms_income",
    ),
    SeededBug(
        "two who look at an event at the same moment use up two of its pauses",
        "migrations/functions/events/events.sql",
        "state = 'waiting' and next_try_at <= now() returning x.*",
        "state = 'waiting' returning x.*",
        "tests/events/test_unknown_events.py::test_those_who_look_at_an_event_at_the_same_moment_have_tried_it_once",
    ),
    SeededBug(
        "a run takes from a wallet what is owed, whatever is in it",
        WALLET_RUNS,
        "least(duly.wallet_spendable(a), duly.owed_to_wallet(j.account_id, j.currency, j.amount_minor, j.invoices))",
        "j.amount_minor",
        f"{SPENDING_TESTS}::test_the_wallet_pays_first_and_the_card_is_asked_for_the_rest",
    ),
    SeededBug(
        "a run takes all that is in a wallet, whatever is owed",
        WALLET_RUNS,
        "least(duly.wallet_spendable(a), duly.owed_to_wallet(j.account_id, j.currency, j.amount_minor, j.invoices))",
        "duly.wallet_spendable(a)",
        f"{SPENDING_TESTS}::test_the_wallet_pays_first_and_the_card_is_asked_for_the_rest",
    ),
    SeededBug(
        "a run spends a wallet beside money that a restore forgot",
        WALLET_RUNS,
        "and not duly.has_recovery_left(a.id)",
        "and true",
        f"{SPENDING_TESTS}::test_a_wallet_is_left_while_its_account_has_money_that_a_restore_forgot",
    ),
    SeededBug(
        "nobody is told of a wallet that could not be debited",
        WALLET_RUNS,
        "perform duly.write_message('wallet_not_spent',",
        "perform concat('wallet_not_spent',",
        f"{SPENDING_TESTS}::test_a_wallet_that_cannot_be_debited_is_left_and_operators_are_notified",
    ),
    SeededBug(
        "a voucher that is redeemed is not ended",
        VOUCHERS,
        "insert into duly.voucher_ends (voucher_id, transaction_id) values (v.id, x.id);",
        "",
        f"{VOUCHER_TESTS}::test_a_voucher_that_is_redeemed_by_many_at_once_pays_once",
    ),
    SeededBug(
        "the buyer of a voucher that is over is credited for it",
        CANCELLED_VOUCHERS,
        "if b.expires_on < duly.earliest_today() then",
        "if b.expires_on < date '1970-01-01' then",
        f"{VOUCHER_TESTS}::test_vouchers_that_are_over_are_not_credited_before_the_night_has_booked_them",
    ),
    SeededBug(
        "a debit that was asked for is asked for again",
        DEBITS,
        "    if not found then\n        if not exists (select from duly.mandates m where m.id = a.token",
        "    if true then\n        if not exists (select from duly.mandates m where m.id = a.token",
        "tests/bank/debits/test_waiting_for_the_bank.py"
        "::test_whoever_asks_for_the_debit_of_an_attempt_at_the_same_moment_gets_the_same",
    ),
    SeededBug(
        "the first debit by a mandate is written as one that recurs",
        DEBITS,
        "then 'FRST' else 'RCUR' end",
        "then 'RCUR' else 'RCUR' end",
        f"{DEBIT_TESTS}::test_the_file_is_the_same_however_often_it_is_written",
    ),
    SeededBug(
        "a changed bank account is named as changed in every file from then on",
        "migrations/functions/bank/debits.sql",
        "last_used_on = greatest(m.last_used_on, d.collect_on), is_amended = false",
        "last_used_on = greatest(m.last_used_on, d.collect_on)",
        f"{DEBIT_TESTS}::test_a_payer_may_change_the_bank_account_and_keep_the_mandate",
    ),
    SeededBug(
        "money that comes for a request that is over is refunded, whatever the rule says",
        "migrations/functions/payments/late_payments.sql",
        "(select late_payments from duly.refund_rules) <> 'refund' then",
        "(select late_payments from duly.refund_rules) = '' then",
        "tests/payments/requests/test_late_money.py::test_what_comes_late_is_kept_or_refunded_by_rule",
    ),
    SeededBug(
        "a report that is kept is written over and mailed again",
        REPORT_SCHEDULES,
        "where k.problem <> ''",
        "where true",
        f"{REPORT_TESTS}::test_of_two_runs_that_have_written_a_period_the_second_changes_nothing_and_mails_nothing",
    ),
    SeededBug(
        "a report that is not what the ledger says is mailed as one that is",
        REPORT_SCHEDULES,
        "case when d.ties then '' else 'differs' end",
        "''",
        f"{REPORT_TESTS}::test_who_gets_a_report_that_is_not_what_the_ledger_says_is_told_so",
    ),
    SeededBug(
        "what was given away is paid out",
        PROMOTIONAL,
        "select duly.refunds_drafted(p_account_id) + duly.promotional_credit(p_account_id)",
        "select duly.refunds_drafted(p_account_id)",
        f"{VOUCHER_TESTS}::test_what_was_given_away_is_not_paid_out_and_what_was_bought_is",
    ),
    SeededBug(
        "a voucher that was bought by a given one is paid out",
        PROMOTIONAL,
        "if x.id is not null then return duly.given_of_voucher(x, p_path || t.id); end if;",
        "if x.id is not null then return 0; end if;",
        "tests/vouchers/test_promotional_value.py::test_vouchers_that_were_bought_by_a_given_one_are_given",
    ),
    SeededBug(
        "who has not paid for vouchers is credited for them",
        CANCELLED_VOUCHERS,
        "least(cardinality(v_ids), ceil(duly.lost_on_vouchers(b)::numeric / b.amount_minor))",
        "0",
        "tests/vouchers/test_batches.py"
        "::test_nobody_is_credited_for_vouchers_that_nobody_has_paid_and_that_were_written_off",
    ),
    SeededBug(
        "a return that cannot be booked is listed as any other debit",
        "migrations/functions/bank/answers.sql",
        "if v_is_return then perform duly.refuse_return",
        "if false then perform duly.refuse_return",
        "tests/bank/debits/test_returns.py::test_a_return_that_cannot_be_booked_is_refused_by_name_until_it_can",
    ),
    SeededBug(
        "a refund settles what was given before what was bought",
        PROMOTIONAL,
        "least(coalesce(p.left_minor, 0), o.amount_minor - o.allocated_minor)",
        "0",
        f"{VOUCHER_TESTS}::test_a_refund_settles_what_was_bought_so_that_what_was_given_goes_on_paying",
    ),
    SeededBug(
        "a dispute that nobody has read is not looked for",
        SUPERVISION,
        "where e.subject = 'dispute' and e.delivered_at between",
        "where false and e.delivered_at between",
        f"{SUPERVISOR_TESTS}::test_a_dispute_that_was_stopped_before_its_first_reading_is_known_from_its_event",
    ),
    SeededBug(
        "a dispute of a payment of somebody else's is looked for",
        SUPERVISION,
        "join duly.gateway_requests r on r.provider_id = e.provider_id and r.kind = 'payment'"
        " and r.gateway_reference = any (e.mentions)\n            where e.subject = 'dispute'",
        "left join duly.gateway_requests r on false where e.subject = 'dispute'",
        f"{SUPERVISOR_TESTS}::test_a_dispute_of_no_payment_of_ours_needs_no_workflow",
    ),
    SeededBug(
        "a shard forgets by a fault that its run was aborted",
        "workflows/runs/shard_payments.py",
        "self._steering = carried_state(Steering) or request.steering",
        "self._steering = request.steering",
        f"{ACCEPTED_TESTS}::test_a_run_that_is_aborted_while_a_fault_suspends_its_shard_charges_nobody",
    ),
    SeededBug(
        "what was accepted is forgotten by a fault",
        "workflows/waiting.py",
        "return tuple(wake for wake in undone if wake.reason not in READ_AFTER_FAULT)",
        "return ()",
        f"{ACCEPTED_TESTS}::test_a_command_that_is_accepted_while_a_fault_suspends_its_workflow_is_done_after_it",
    ),
    SeededBug(
        "a card that is to be charged for a request is forgotten by a fault",
        "workflows/payments/state.py",
        'self.card_id if self.is_charge_due else ""',
        '""',
        f"{ACCEPTED_TESTS}::test_a_command_that_is_accepted_while_a_fault_suspends_its_workflow_is_done_after_it",
    ),
    SeededBug(
        "a member's one invoice is taken though another run has it",
        "migrations/functions/collections/claims.sql",
        "w.claimed_minor and w.has_owner is not true",
        "w.claimed_minor",
        "tests/runs/test_who_is_due.py::test_two_runs_frozen_at_the_same_moment_do_not_both_charge_the_invoice",
    ),
    SeededBug(
        "one invoice is asked for as it is open, whatever others claim of it",
        "migrations/functions/collections/amounts.sql",
        "w.amount_minor is not null limit 1) is null",
        "false limit 1) is null",
        "tests/collections/claims/test_amounts.py::test_whoever_takes_all_takes_what_the_others_leave",
    ),
)
