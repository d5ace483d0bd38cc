"""Bugs seeded into workflows and gates that had none: requests by a link, cards, runs, limits, two people."""

from tests.mutants.seeded_bugs import SeededBug

REQUEST = "workflows/payments/payment_request.py"
CARD = "workflows/cards/card_lifecycle.py"
PAYMENT_RUN = "workflows/runs/payment_run.py"
GIVING = "migrations/functions/console/giving.sql"
APPROVALS = "migrations/functions/console/approvals.sql"

REQUEST_TESTS = "tests/payments/test_payment_requests.py"
ENDS = "tests/payments/test_payment_request_ends.py"
FOR_THE_PAYER = "tests/payments/requests/test_paid_for_the_payer.py"
LIFECYCLE = "tests/cards/test_lifecycle.py"
FOUR_EYES = "tests/console/test_four_eyes.py"
GATE = "tests/console/giving/test_gate.py"

LATER_BUGS = (
    SeededBug(
        "a page that asks for another amount is shown to the payer",
        "workflows/payments/handlers.py",
        "if state.page is not None and state.page.amount_minor != state.stored.payable_minor:",
        "if False:",
        f"{REQUEST_TESTS}::test_a_page_of_another_amount_is_closed_before_the_next_is_opened",
    ),
    SeededBug(
        "nobody who asked for a payment by a link reminds of it",
        REQUEST,
        'await self._mail("reminder", f"reminder-{days}")',
        "del days",
        f"{ENDS}::test_nobody_pays_and_it_expires_after_two_reminders_with_its_page_closed",
    ),
    SeededBug(
        "a request that was withdrawn has expired",
        REQUEST,
        'state.end = state.end or self._ending(PaymentRequestState.EXPIRED, "expired")',
        'state.end = self._ending(PaymentRequestState.WITHDRAWN, "expired")',
        f"{ENDS}::test_nobody_pays_and_it_expires_after_two_reminders_with_its_page_closed",
    ),
    SeededBug(
        "whoever charges a card for a payer is answered without its outcome",
        "workflows/payments/card_payments.py",
        "state.charged = await workflow.execute_activity_method(",
        "_ = await workflow.execute_activity_method(",
        f"{FOR_THE_PAYER}::test_a_card_is_charged_once_and_the_open_page_is_closed_first",
    ),
    SeededBug(
        "a card's holder is not warned that it expires",
        CARD,
        'self._notices.notify(MessageKind.CARD_EXPIRING, f"{month}-{due.days}", at=last_day)',
        "del month, last_day",
        f"{LIFECYCLE}::test_its_holder_is_warned_twice_before_it_expires_and_then_it_is_not_charged",
    ),
    SeededBug(
        "a blocked card whose data have changed is not asked about",
        CARD,
        "if refreshed.is_changed and before.state is CardState.BLOCKED and state.card.state is CardState.BLOCKED:",
        "if False:",
        "tests/cards/test_stopped_provider.py"
        "::test_new_data_of_a_blocked_card_are_read_and_checked_once_the_provider_is_effective",
    ),
    SeededBug(
        "nobody is reminded of the page for a card",
        CARD,
        'self._notices.notify(MessageKind.CARD_CONFIRMATION, f"{day}-reminder", at=deadline)',
        "del rules",
        "tests/cards/test_registration.py::test_a_page_that_nobody_comes_to_is_abandoned_after_a_reminder",
    ),
    SeededBug(
        "a shard that is lost is not begun again",
        PAYMENT_RUN,
        "if (steering := self._course.steering).is_aborted:\n                    return\n            else:",
        "if not (steering := self._course.steering).is_aborted:\n                    return\n            else:",
        "tests/runs/control/test_restarted_run.py::test_a_shard_that_was_terminated_is_begun_again_from_its_members_rows",
    ),
    SeededBug(
        "an aborted run keeps whom it has not asked",
        PAYMENT_RUN,
        "if course.steering.is_aborted:\n            await",
        "if course.is_shadow:\n            await",
        "tests/runs/control/test_run_control.py::test_an_aborted_run_keeps_what_is_charged_and_releases_the_rest",
    ),
    SeededBug(
        "what stood still sends after its activity's time-out",
        "activities/gateway/clocks.py",
        "with sent_within(SendingLimit(timeout)):",
        "with sent_within(SendingLimit(timeout + 10**8 * timeout.resolution)):",
        "tests/gateway/test_standing_still.py::test_nothing_is_sent_for_an_activity_after_its_time_out_whatever_it_is",
    ),
    SeededBug(
        "a key of another account is taken",
        "activities/recovery/account.py",
        "if stored and not await gateway.has_had_customer(stored.reference):",
        "if False and stored:",
        "tests/recovery/test_other_account.py::test_a_process_that_starts_with_a_key_of_another_account_sends_nothing",
    ),
    SeededBug(
        "whoever asks for an approval approves it",
        APPROVALS,
        "elsif p_decision <> 'withdrawn' and v_actor = a.asked_by then",
        "elsif false then",
        f"{FOUR_EYES}::test_the_command_line_lists_and_decides_and_who_may_not_is_refused_by_the_database",
    ),
    SeededBug(
        "small amounts of a day are never a large one",
        GIVING,
        "if v_used + p_amount_minor > coalesce(",
        "if p_amount_minor > coalesce(",
        f"{GATE}::test_a_credit_note_above_the_limit_is_posted_by_no_door_until_another_person_has_approved",
    ),
    SeededBug(
        "whoever is no user of the console gives away what is limited",
        GIVING,
        "if v_role is null then",
        "if v_role = '' then",
        f"{GATE}::test_a_credit_note_above_the_limit_is_posted_by_no_door_until_another_person_has_approved",
    ),
    SeededBug(
        "a charge rule holds what comes to its limit",
        "migrations/functions/payments/velocity.sql",
        "when v_minor + p_owed > r.most_minor then 'most' end;",
        "when v_minor + p_owed >= r.most_minor then 'most' end;",
        "tests/payments/fraud/test_holds.py::test_a_sum_within_a_time_is_of_its_currency",
    ),
)
