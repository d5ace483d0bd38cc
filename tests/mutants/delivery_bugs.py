"""Bugs seeded into the sweep of events, mailing and scheduled reports."""

from tests.mutants.seeded_bugs import SeededBug

SWEEP = "activities/events/sweep.py"
MAILING = "workflows/messages/mailing.py"
OUTBOX = "activities/messages/outbox.py"
DELIVERING = "activities/reports/delivering.py"
REPORT_DELIVERY = "workflows/reports/report_delivery.py"

SWEEP_TESTS = "tests/events/test_sweep.py"
SENDING_TESTS = "tests/messages/test_sending.py"
SCHEDULED_REPORTS_TESTS = "tests/reports/test_scheduled_reports.py"
SECOND_SWEEP = f"{SWEEP_TESTS}::test_a_second_sweep_finds_nothing_new_and_begins_where_the_first_ended"
EVERY_PAGE = f"{SENDING_TESTS}::test_a_mailing_sends_every_page_and_comes_back_for_what_a_server_puts_off"
TRIED_AGAIN = (
    f"{SCHEDULED_REPORTS_TESTS}::test_what_could_not_be_written_is_told_with_the_reason_and_tried_again_until_it_is"
)
EVENT_SWEEP = "workflows/events/event_sweep.py"
LOOKED_UP = (
    "tests/gateway/test_movements.py"
    "::test_what_is_listed_too_early_for_the_mark_is_looked_up_by_the_sweep_when_it_is_due"
)
GIVEN_UP = (
    f"{SWEEP_TESTS}::test_operators_are_written_to_of_what_nobody_knows_once_it_is_given_up_and_not_while_it_waits"
)

DELIVERY_BUGS = (
    SeededBug(
        "a sweep begins where the last one ended and misses what was listed late",
        SWEEP,
        "max(oldest, mark - OVERLAP) if",
        "max(oldest, mark) if",
        SECOND_SWEEP,
    ),
    SeededBug(
        "a sweep that read nothing new notes that it has read everything",
        SWEEP,
        "max(min(so_far.newest, so_far.began), so_far.began - OVERLAP)",
        "so_far.began",
        "tests/gateway/clocks/test_sweep.py::test_a_gateway_that_has_nothing_to_tell_moves_the_mark_on_all_the_same",
    ),
    SeededBug(
        "a mark of a clock that was ahead is believed",
        SWEEP,
        "is_known = mark is not None and mark <= began + OVERLAP",
        "is_known = mark is not None",
        "tests/gateway/clocks/test_a_day_off.py::test_a_mark_of_a_clock_that_was_a_day_ahead_is_taken_back",
    ),
    SeededBug(
        "a sweep leaves what fills no page",
        SWEEP,
        "    if page:\n        yield page",
        "    if len(page) > PAGE:\n        yield page",
        SECOND_SWEEP,
    ),
    SeededBug(
        "a sweep that comes too late says nothing of it",
        SWEEP,
        "mark < so_far.began - REMEMBERED",
        "mark > so_far.began",
        f"{SWEEP_TESTS}::test_a_sweep_after_more_than_a_month_says_that_events_may_be_lost",
    ),
    SeededBug(
        "a sweep that was cut off reads its list anew",
        SWEEP,
        "self._gateway.events(so_far.since, so_far.last)",
        "self._gateway.events(so_far.since)",
        f"{SWEEP_TESTS}::test_the_next_try_goes_on_behind_the_last_page_that_was_stored",
    ),
    SeededBug(
        "a sign of life forgets how far the activity was",
        "activities/interceptors.py",
        "super().heartbeat(*self._progress)",
        "super().heartbeat()",
        "tests/test_interceptors.py::test_a_sign_of_life_repeats_how_far_the_call_is",
    ),
    SeededBug(
        "a sweep alerts nobody of money that is overdue",
        EVENT_SWEEP,
        "if delivered.given_up or (booked and booked.overdue):",
        "if delivered.given_up:",
        "tests/gateway/test_movements.py::test_a_sweep_finds_what_is_overdue_and_has_operators_notified",
    ),
    SeededBug(
        "what a server puts off is tried once more and then left",
        MAILING,
        "if deferred and request.passes < PASSES:",
        "if deferred and not request.passes:",
        EVERY_PAGE,
    ),
    SeededBug(
        "a mailing that goes on as new forgets what was put off",
        MAILING,
        "self._go_on(after, deferred, request.passes)",
        "self._go_on(after, 0, request.passes)",
        EVERY_PAGE,
    ),
    SeededBug(
        "a mailing raises no alerts of its run",
        MAILING,
        "if request.run_id and not request.has_alerts:",
        "if request.run_id and request.has_alerts:",
        "tests/messages/test_alerts.py::test_a_run_tells_how_many_payments_failed_and_why",
    ),
    SeededBug(
        "a mailing sends its first page alone",
        OUTBOX,
        'if len(rows) == PAGE else ""',
        'if len(rows) > PAGE else ""',
        EVERY_PAGE,
    ),
    SeededBug(
        "a mailing skips the rest of an account whose messages are on two pages",
        OUTBOX,
        "place > tuple_(literal(account), literal(message))",
        "MessageRow.account_id > account",
        EVERY_PAGE,
    ),
    SeededBug(
        "a message that surely was not taken is left to a person",
        OUTBOX,
        "await self._note(message, MessageState.PENDING)\n            raise",
        "raise",
        f"{SENDING_TESTS}::test_what_surely_was_not_taken_is_sent_again",
    ),
    SeededBug(
        "a message of which nobody knows whether it was taken is sent again",
        OUTBOX,
        "Handover.IN_DOUBT: MessageState.SENDING",
        "Handover.IN_DOUBT: MessageState.PENDING",
        f"{SENDING_TESTS}::test_the_answer_of_the_mail_server_decides_what_becomes_of_a_message",
    ),
    SeededBug(
        "a server that takes a few messages a session holds the others up",
        OUTBOX,
        "if len(to_do) == before:",
        "if to_do:",
        f"{SENDING_TESTS}::test_a_server_that_ends_a_session_after_a_message_is_met_again_at_once",
    ),
    SeededBug(
        "a worker that is stopped leaves the message in its hand half-way",
        OUTBOX,
        "await _unbroken(self._send_one(session, to_do[0], files))",
        "await self._send_one(session, to_do[0], files)",
        f"{SENDING_TESTS}::test_a_worker_that_is_told_to_stop_lets_the_message_in_its_hand_go_all_the_way",
    ),
    SeededBug(
        "reminders wait for somebody elses mailing",
        "workflows/messages/reminders.py",
        "if written:",
        "if not written:",
        "tests/messages/test_reminders.py::test_they_are_sent_in_the_customers_language",
    ),
    SeededBug(
        "a report that could not be written once is never written",
        DELIVERING,
        "if kept is not None and not kept.problem:",
        "if kept is not None:",
        TRIED_AGAIN,
    ),
    SeededBug(
        "a report is as of the day on which it is written",
        DELIVERING,
        "target, today=today, at",
        "target, today=datetime.now(UTC).date(), at",
        "tests/reports/schedules/test_days.py"
        "::test_days_of_a_report_count_from_the_day_that_was_due_whenever_it_is_written",
    ),
    SeededBug(
        "a report that a schedule catches up is of the moment at which it runs",
        REPORT_DELIVERY,
        "moment = workflow.info().typed_search_attributes.get(_SCHEDULED_AT, workflow.now())",
        "moment = workflow.now()",
        f"{SCHEDULED_REPORTS_TESTS}::test_what_a_calendar_catches_up_is_the_report_of_its_own_moment",
    ),
    SeededBug(
        "a report that is written in the end is mailed to nobody",
        REPORT_DELIVERY,
        'workflow_ids.mailing_id(f"{name}/{delivered.tries}")',
        "workflow_ids.mailing_id(name)",
        TRIED_AGAIN,
    ),
    SeededBug(
        "a report that differs asks nobody",
        REPORT_DELIVERY,
        "if delivered.problem or not delivered.ties:",
        "if delivered.problem:",
        f"{SCHEDULED_REPORTS_TESTS}::test_who_gets_a_report_that_is_not_what_the_ledger_says_is_told_so",
    ),
    SeededBug(
        "a report that takes too long is tried without end",
        DELIVERING,
        "or activity.info().attempt < TRIES_IN_TIME:",
        "or activity.info().attempt > 0:",
        "tests/reports/schedules/test_bounds.py::test_a_report_that_takes_too_long_each_time_is_no_query_for_ever",
    ),
    SeededBug(
        "the files of two periods have one name",
        DELIVERING,
        'f"{order.schedule_id}-{order.period}.{schedule.format}"',
        'f"{order.schedule_id}.{schedule.format}"',
        f"{SCHEDULED_REPORTS_TESTS}::test_a_period_is_written_once_kept_and_mailed_once_to_each",
    ),
    SeededBug(
        "a sweep does not look up what is due",
        EVENT_SWEEP,
        "MovementsRequest(request.provider, retrieves_due=True),",
        "MovementsRequest(request.provider),",
        LOOKED_UP,
    ),
    SeededBug(
        "what is due is looked up by nobody",
        "activities/events/movements.py",
        "            if request.retrieves_due:\n                booked",
        "            if not request.retrieves_due:\n                booked",
        LOOKED_UP,
    ),
    SeededBug(
        "operators are written to of events that wait",
        EVENT_SWEEP,
        "if delivered.given_up or (booked",
        "if delivered.put_off or delivered.given_up or (booked",
        GIVEN_UP,
    ),
    SeededBug(
        "nobody is written to of an event that nobody knows",
        EVENT_SWEEP,
        "if delivered.given_up or (booked and booked.overdue):",
        "if booked and booked.overdue:",
        GIVEN_UP,
    ),
)
