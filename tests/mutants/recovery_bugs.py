"""Bugs seeded into recovery after a restore, checks of what events name, and merchants whom the gateway stops."""

from tests.mutants.seeded_bugs import SeededBug

OBJECT_CHECK = "workflows/reconciliation/object_check.py"
WAKING = "workflows/reconciliation/waking.py"

WAITING_TESTS = "tests/reconciliation/checks/test_waiting.py"
HEARS = (
    f"{WAITING_TESTS}::test_who_waits_for_what_was_found_hears_of_it_and_who_looks_after_a_receivable_of_what_is_owed"
)

RECOVERY_BUGS = (
    SeededBug(
        "what was made before the gap by a clock that is off is not read",
        "models/recovery/recovery.py",
        "READ_BEFORE = timedelta(days=2)",
        "READ_BEFORE = timedelta(0)",
        "tests/recovery/test_read_again.py"
        "::test_what_the_gateway_made_up_to_two_days_before_the_gap_is_read_too_for_no_clock_has_to_be_right",
    ),
    SeededBug(
        "events without end let an object be checked without end",
        OBJECT_CHECK,
        "state=self._checks)",
        "state=0)",
        f"{WAITING_TESTS}::test_events_without_end_let_an_object_be_checked_no_longer",
    ),
    SeededBug(
        "what was reset to before its page was opened does not look at what is owed",
        WAKING,
        "if kind in OWNERS and workflow.patched(OWNERS_CHECK):",
        "if workflow.patched(OWNERS_CHECK) and kind not in OWNERS:",
        HEARS,
    ),
    SeededBug(
        "a request whose page was reset away does not look at what is owed",
        WAKING,
        'OWNERS = frozenset({"collection", "payment-request"})',
        'OWNERS = frozenset({"collection"})',
        HEARS,
    ),
    SeededBug(
        "what was read before a merchant was disconnected connects it again",
        "workflows/merchants/state.py",
        "        if self.is_over:\n            return\n        before, self.known",
        "        before, self.known",
        "tests/merchants/test_disconnecting.py"
        "::test_what_was_read_before_a_merchant_was_disconnected_connects_nobody_again",
    ),
    SeededBug(
        "pages stay open when the gateway stops a merchant",
        "activities/merchants/accounts.py",
        "            await end_pages(self._database)\n",
        "",
        "tests/merchants/providers/test_disconnected_meanwhile.py"
        "::test_a_page_is_closed_at_once_when_the_gateway_stops_the_merchant_and_is_good_again_after_that",
    ),
    SeededBug(
        "a payment of what was opened again after a Cancel is left to a person",
        "migrations/functions/recovery/adoption.sql",
        "elsif r.state in ('pending', 'under_processing', 'unknown') and r.transaction_id is not null then",
        "elsif r.state in ('pending', 'under_processing', 'unknown') then",
        "tests/recovery/test_adoption.py"
        "::test_payments_refunds_and_declines_that_were_forgotten_are_written_down_again",
    ),
)
