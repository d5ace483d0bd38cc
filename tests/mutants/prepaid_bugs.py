"""Bugs seeded into top-ups and spending of wallets, mandates and notices of bank debits, and application fees."""

from tests.mutants.seeded_bugs import SeededBug

TOP_UPS = "migrations/functions/wallets/top_ups.sql"
WALLET_SPENDING = "migrations/functions/wallets/spending.sql"
WALLET_RUNS = "migrations/functions/wallets/runs.sql"
MANDATES = "migrations/functions/bank/mandates.sql"
NOTICES = "migrations/functions/bank/notices.sql"
APPLICATION_FEES = "migrations/functions/merchants/application_fees.sql"

TOP_UP_TESTS = "tests/wallets/test_top_ups.py"
TAKEN_BACK = f"{TOP_UP_TESTS}::test_a_payment_that_is_cancelled_takes_what_is_not_spent_out_of_the_wallet"
SPENDING_TESTS = "tests/wallets/test_spending_by_runs.py"
REFUSED_MONEY = "migrations/functions/bank/refused_money.sql"
RETURN_TESTS = "tests/bank/debits/test_returns.py"
DEBIT_TESTS = "tests/bank/debits/test_direct_debits.py"
MANDATE_TESTS = "tests/bank/debits/test_mandates.py"
NOTICE_TESTS = "tests/bank/debits/test_notices.py"
TOO_LATE = f"{NOTICE_TESTS}::test_a_debit_whose_letter_came_too_late_gets_a_later_day_and_another_letter_once"
FILED = f"{NOTICE_TESTS}::test_a_debit_is_filed_once_its_letter_went_out_in_time_and_not_before"
HELD = f"{NOTICE_TESTS}::test_what_is_late_waits_for_a_person_where_the_rule_holds_it"
FEE_TESTS = "tests/merchants/providers"

PREPAID_BUGS = (
    SeededBug(
        "a wallet that waits for a top-up is asked for another one",
        TOP_UPS,
        "and not exists (select from duly.wallet_top_ups t where t.account_id = a.id and t.state = 'requested')",
        "",
        f"{TOP_UP_TESTS}::test_a_low_wallet_is_asked_for_once_and_has_nothing_before_it_is_paid",
    ),
    SeededBug(
        "a wallet has a top-up before all of its invoice is paid",
        TOP_UPS,
        "elsif u.state = 'requested' and v_open = 0 then",
        "elsif u.state = 'requested' then",
        f"{TOP_UP_TESTS}::test_the_wallet_has_it_in_the_commit_that_settles_the_invoice",
    ),
    SeededBug(
        "the money of a top-up that has gone back stays in the wallet",
        TOP_UPS,
        "elsif u.state = 'credited' and v_open > 0 then",
        "elsif false then",
        TAKEN_BACK,
    ),
    SeededBug(
        "an account whose top-up has gone back is topped up once more",
        TOP_UPS,
        "perform duly.switch_top_up(a.id, false, 'system', 'the money of a top-up has gone back');",
        "",
        TAKEN_BACK,
    ),
    SeededBug(
        "a void gives back to the wallet what has gone back to the bank",
        WALLET_SPENDING,
        "perform duly.note_top_ups_moved(array(",
        "perform cardinality(array(",
        f"{TOP_UP_TESTS}::test_what_a_void_gives_back_of_money_that_has_gone_is_not_spendable",
    ),
    SeededBug(
        "one more top-up in a month than the rule allows",
        TOP_UPS,
        ">= (l.rule).most_in_month",
        "> (l.rule).most_in_month",
        f"{TOP_UP_TESTS}::test_who_is_not_topped_up_is_named_with_the_reason",
    ),
    SeededBug(
        "a top-up that is given up stays a debt",
        TOP_UPS,
        "perform duly.withdraw_top_up(v_invoice, 'system', p_collection.reason);",
        "",
        "tests/wallets/test_top_up_guards.py"
        "::test_a_top_up_that_is_given_up_is_withdrawn_and_the_policy_is_for_what_else_is_owed",
    ),
    SeededBug(
        "a run that begins again takes from wallets again",
        "migrations/functions/runs/runs.sql",
        "if v_is_frozen or exists (select from duly.run_items where run_id = p_run_id) then\n"
        "        return duly.run_plan(p_run_id, v_definition);\n    end if;\n    if v_tops_up then",
        "if v_tops_up then",
        f"{SPENDING_TESTS}::test_freezing_again_takes_nothing_of_what_has_come_since",
    ),
    SeededBug(
        "by pure FIFO a wallet pays what a card is being asked for",
        WALLET_RUNS,
        "not exists (select from duly.owned_invoices o where o.account_id = a.id)",
        "true",
        f"{SPENDING_TESTS}::test_by_pure_fifo_a_wallet_is_left_while_a_card_is_asked_for_an_older_invoice",
    ),
    SeededBug(
        "a run's certificate says nothing of what wallets have paid",
        WALLET_RUNS,
        "format('run:%s;', p_run_id)",
        "format('run:%s:', p_run_id)",
        f"{SPENDING_TESTS}::test_the_wallet_pays_first_and_the_card_is_asked_for_the_rest",
    ),
    SeededBug(
        "an account has two mandates in use",
        MANDATES,
        "and o.state in ('signed', 'active')) then",
        "and false) then",
        f"{MANDATE_TESTS}::test_a_second_mandate_is_signed_when_the_first_is_cancelled_and_debits_are_by_it",
    ),
    SeededBug(
        "a mandate is given another bank account by creating it again",
        MANDATES,
        "v_known.provider_id, v_known.iban) is distinct from (p_account_id, p_provider_id, p_iban) then",
        "v_known.provider_id) is distinct from (p_account_id, p_provider_id) then",
        f"{MANDATE_TESTS}::test_the_reference_of_a_mandate_is_of_one_account_and_bank_account",
    ),
    SeededBug(
        "a mandate that the payer's bank has stopped is debited",
        MANDATES,
        "select m.state in ('signed', 'active') and not duly.is_mandate_expired(m, p_on)",
        "select m.state in ('signed', 'active', 'suspended') and not duly.is_mandate_expired(m, p_on)",
        f"{DEBIT_TESTS}::test_nothing_is_taken_by_a_mandate_that_ended_or_was_stopped_before_its_file_is_written",
    ),
    SeededBug(
        "a mandate that expires before the day of collection is debited",
        MANDATES,
        "coalesce(p_on, duly.day_of_creditor(m.provider_id))",
        "duly.day_of_creditor(m.provider_id)",
        f"{DEBIT_TESTS}::test_a_mandate_that_expires_before_the_day_of_collection_is_not_debited",
    ),
    SeededBug(
        "the bank is not told that a payer has another account",
        MANDATES,
        "is_amended = is_amended or (last_used_on is not null and iban <> p_iban)",
        "is_amended = is_amended",
        f"{DEBIT_TESTS}::test_a_payer_may_change_the_bank_account_and_keep_the_mandate",
    ),
    SeededBug(
        "a debit is written into a file before its payer was notified",
        NOTICES,
        "select c.notice_by = 'invoice' or exists",
        "select true or exists",
        FILED,
    ),
    SeededBug(
        "a notice that went out too late is as good as one in time",
        NOTICES,
        "(n.sent_at at time zone c.time_zone)::date + coalesce(m.notice_days, c.notice_days) <= d.collect_on",
        "(n.sent_at at time zone c.time_zone)::date <= d.collect_on",
        FILED,
    ),
    SeededBug(
        "a late debit moves where the rule holds it for a person",
        NOTICES,
        "c.late_notice = 'move' and coalesce(",
        "coalesce(",
        HELD,
    ),
    SeededBug(
        "the notice of a debit that moves names the day that it had",
        NOTICES,
        "d.collect_on := (p_days ->> d.id)::date;",
        "",
        TOO_LATE,
    ),
    SeededBug(
        "a notice of a day on which nothing is collected is sent",
        "migrations/functions/messages/messages.sql",
        "and to_char(d.collect_on, 'YYYY-MM-DD') = p.parameters ->> 'at'",
        "",
        TOO_LATE,
    ),
    SeededBug(
        "a late debit moves to the first day that the bank takes, whatever the notice",
        "activities/bank/debits/notices.py",
        "notice_days=row.notice_days + 1",
        "notice_days=1",
        TOO_LATE,
    ),
    SeededBug(
        "money that comes for a refused debit is taken for that of nobody",
        REFUSED_MONEY,
        "having sum(d.amount_minor) = p_amount_minor and bool_or(d.state = 'rejected')",
        "having false",
        f"{RETURN_TESTS}::test_money_of_a_refused_debit_is_taken_back_from_suspense_or_from_whom_it_was_given",
    ),
    SeededBug(
        "what the bank takes back of a refused debit it takes back again",
        REFUSED_MONEY,
        "c where c.idempotency_key = 'debit:' || p_id || ':returned')",
        "c where false)",
        f"{RETURN_TESTS}"
        "::test_a_file_that_comes_whole_though_the_bank_had_refused_a_part_of_it_is_settled_and_that_part_waits",
    ),
    SeededBug(
        "the audit does not compare a statement's line with its debits",
        "migrations/functions/bank/debit_invariants.sql",
        "b.minor is distinct from l.amount_minor or t.minor is not null",
        "false",
        "tests/bank/debits/test_debit_audit.py",
    ),
    SeededBug(
        "an application fee is rounded down",
        APPLICATION_FEES,
        "coalesce(round(p_amount_minor",
        "coalesce(floor(p_amount_minor",
        "tests/merchants/test_rules_application_fees.py::test_code_and_database_take_the_same_of_every_amount",
    ),
    SeededBug(
        "every refund gives the application fee back",
        "activities/gateway/stripe_refunds.py",
        '{"refund_application_fee": True} if call.refunds_application_fee else {}',
        '{"refund_application_fee": True}',
        f"{FEE_TESTS}/test_application_fees.py::test_a_refund_gives_the_fee_back_pro_rata_where_the_rule_says_so",
    ),
    SeededBug(
        "a payment on a page leaves the platform nothing",
        "activities/gateway/stripe_pages.py",
        "if fee := application_fee(charge):",
        "if fee := 0 * application_fee(charge):",
        f"{FEE_TESTS}/test_fees_of_a_month.py::test_a_payment_on_a_page_leaves_the_platforms_part_too",
    ),
)
