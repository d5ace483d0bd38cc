"""Bugs seeded into billing runs, their schedules, refund runs and months of bank refunds."""

from tests.mutants.seeded_bugs import SeededBug

BILLING = "activities/runs/billing.py"
SCHEDULED_RUN = "workflows/runs/scheduled_run.py"
REFUND_RUN = "workflows/runs/refund_run.py"
REFUND = "workflows/refunds/refund.py"
BANK_REFUNDS = "workflows/refunds/bank_refunds.py"
DRAFTS = "activities/bank/bank_refunds.py"

SCHEDULES = "workflows/runs/schedules.py"

BILLING_RUNS_TESTS = "tests/runs/test_billing_runs.py"
CLI_SCHEDULES_TESTS = "tests/runs/test_cli_schedules.py"
BANK_REFUNDS_TESTS = "tests/refunds/test_bank_refunds.py"
ANSWERS_TESTS = "tests/refunds/test_refund_runs_answers.py"
SHARD = "workflows/runs/payment_run_shard.py"
WINDOW_SLIDES = (
    "tests/runs/control/test_sliding_window.py"
    "::test_payments_that_take_long_hold_nobody_and_are_carried_into_the_next_execution"
)
CLOSES = (
    "tests/runs/control/test_handing_over.py"
    "::test_a_shard_hands_over_at_once_and_asks_nobody_again_who_is_being_answered_as_it_closes"
)
RULES_SCHEDULE = "tests/runs/test_rules_schedule.py"
STILL_RUNS = (
    f"{RULES_SCHEDULE}::test_what_is_due_while_the_one_before_still_runs_is_left_out_unless_it_has_a_period_of_its_own"
)
HANDED_OVER = (
    "tests/refunds/test_refund_runs_handed_over.py"
    "::test_a_run_whose_window_is_full_hands_over_and_ends_with_its_certificate"
)
ASKED = f"{BANK_REFUNDS_TESTS}::test_operators_are_asked_with_the_sums_and_again_each_week_whatever_it_goes_through"
REJECTED = f"{BANK_REFUNDS_TESTS}::test_a_month_that_is_rejected_refunds_nobody_and_its_credit_comes_with_the_next"

RUN_BUGS = (
    SeededBug(
        "a billing run ends with its first page",
        BILLING,
        'after = due[-1].id if len(due) == page.limit else ""',
        'after = due[-1].id if len(due) > page.limit else ""',
        f"{BILLING_RUNS_TESTS}::test_a_page_that_is_billed_again_after_a_lost_answer_posts_nothing_twice",
    ),
    SeededBug(
        "one whom the ledger refuses parks the others of the page",
        BILLING,
        "if len(batch) == 1:\n",
        "if batch:\n",
        f"{BILLING_RUNS_TESTS}::test_what_cannot_be_billed_is_parked_and_the_others_are_billed",
    ),
    SeededBug(
        "a billing run makes no bills",
        BILLING,
        'after: str | None = ""\n        while',
        "after: str | None = None\n        while",
        f"{BILLING_RUNS_TESTS}::test_a_run_makes_one_bill_an_account_with_all_that_it_billed",
    ),
    SeededBug(
        "a billing run that goes on as new forgets what was billed before",
        "workflows/runs/billing_run.py",
        "billed=self._billed, parked",
        "billed=request.billed, parked",
        f"{BILLING_RUNS_TESTS}::test_pages_end_with_everybody_billed_and_counted",
    ),
    SeededBug(
        "a scheduled run is of the month in which it is begun",
        SCHEDULED_RUN,
        "due_at = workflow.info().typed_search_attributes.get(_SCHEDULED_AT, workflow.now())",
        "due_at = workflow.now()",
        f"{CLI_SCHEDULES_TESTS}::test_months_that_were_missed_are_run_once_each",
    ),
    SeededBug(
        "a scheduled run closes a month over nobody",
        SCHEDULED_RUN,
        "over_nobody=request.unit is not PeriodUnit.MONTH",
        "over_nobody=True",
        f"{CLI_SCHEDULES_TESTS}::test_a_scheduled_run_over_nobody_leaves_its_month_open_and_is_seen_to_have_failed",
    ),
    SeededBug(
        "a schedule of every second week runs each week",
        SCHEDULED_RUN,
        "request.unit is not PeriodUnit.MINUTES and not is_counted",
        "request.unit is PeriodUnit.MINUTES and not is_counted",
        "tests/runs/calendars/test_cli_calendars.py"
        "::test_weeks_that_were_missed_are_run_once_each_and_those_between_are_left_out",
    ),
    SeededBug(
        "a refund run that goes on as new forgets who is under way",
        REFUND_RUN,
        "tuple(sorted(self._waiting)),",
        "(),",
        HANDED_OVER,
    ),
    SeededBug(
        "a refund run that goes on as new forgets that it is paused",
        REFUND_RUN,
        "            self._is_paused,\n            self._decisions,",
        "            False,\n            self._decisions,",
        "tests/refunds/test_refund_runs.py"
        "::test_a_paused_run_begins_with_nobody_until_it_is_resumed_also_where_it_goes_on_as_new",
    ),
    SeededBug(
        "a refund run that is paused goes on after a fault",
        REFUND_RUN,
        "carried_state(RefundRunOrders) or RefundRunOrders(resumed.is_paused",
        "RefundRunOrders(resumed.is_paused",
        "tests/runs/control/test_faults_after_cancel.py"
        "::test_a_refund_run_that_was_paused_begins_with_nobody_after_a_fault",
    ),
    SeededBug(
        "a refund run has handed nobody over once it has",
        REFUND_RUN,
        "self._handed_over += len(self._waiting)\n        workflow",
        "self._waiting.clear()\n        self._handed_over += len(self._waiting)\n        workflow",
        HANDED_OVER,
    ),
    SeededBug(
        "a refund is final without another look at the gateway",
        REFUND,
        "                result = await self._check()\n                if is_final",
        "                result = result if is_final else await self._check()\n                if is_final",
        "tests/refunds/test_refunds.py::test_a_refund_that_has_no_event_is_checked_again_before_it_counts_as_final",
    ),
    SeededBug(
        "a refund that a person has to look at is asked about only once the gateway has answered",
        REFUND,
        "if result.outcome is RefundOutcome.UNKNOWN and now - since >= REVIEW_AFTER:",
        "if result.outcome is RefundOutcome.PENDING and now - since >= REVIEW_AFTER:",
        "tests/refunds/test_resumed_refunds.py"
        "::test_a_person_is_asked_about_a_refund_of_which_nobody_knows_for_six_hours",
    ),
    SeededBug(
        "operators are asked once, whatever waits",
        BANK_REFUNDS,
        "await self._ask(request.period, asked := asked + 1)",
        "await self._ask(request.period, asked)",
        ASKED,
    ),
    SeededBug(
        "a month that is rejected is released",
        BANK_REFUNDS,
        "return await self._decide(BankRefundsState.REJECTED, command)",
        "return await self._decide(BankRefundsState.RELEASED, command)",
        REJECTED,
    ),
    SeededBug(
        "a month whose row was decided elsewhere is not read again",
        BANK_REFUNDS,
        "self._record = await self._open(self._request.period)",
        "self._show()",
        f"{BANK_REFUNDS_TESTS}::test_a_month_that_was_decided_elsewhere_is_over_as_soon_as_its_row_is_read",
    ),
    SeededBug(
        "each signal of its row asks operators again",
        BANK_REFUNDS,
        "                self._end_review()\n        return True",
        "                self._end_review()\n        return self._is_decided()",
        ASKED,
    ),
    SeededBug(
        "a month that goes on as new asks operators again at once",
        BANK_REFUNDS,
        "workflow.continue_as_new(replace(request, asked=asked))",
        "workflow.continue_as_new(replace(request, asked=0))",
        ASKED,
    ),
    SeededBug(
        "the bank is to pay what the gateway can send back",
        DRAFTS,
        "includes_gateway=not (rules and rules.refunds_credit)",
        "includes_gateway=bool(rules)",
        f"{BANK_REFUNDS_TESTS}::test_credit_that_a_gateway_gives_back_by_its_own_runs_is_left_to_them",
    ),
    SeededBug(
        "what was decided is among the sums that wait",
        DRAFTS,
        'if row.state == "draft"',
        "if row.state",
        ASKED,
    ),
    SeededBug(
        "sums that wait are added over currencies",
        DRAFTS,
        "Money(sum(row.total_minor for row in rows), currency)",
        "Money(sum(row.total_minor for row in waiting), currency)",
        ASKED,
    ),
    SeededBug(
        "the key of a draft misses its month",
        DRAFTS,
        '"key": refund_key(period, one.account_id)',
        '"key": refund_key("2020-01", one.account_id)',
        REJECTED,
    ),
    SeededBug(
        "a month is drafted beside files of a gap that nobody has named",
        DRAFTS,
        "if error.type == FILES_ARE_KNOWN:",
        'if error.type == "":',
        "tests/recovery/forgotten/test_refund_files.py"
        "::test_a_month_of_the_schedule_waits_for_the_files_and_adds_nobody_to_what_the_bank_has",
    ),
    SeededBug(
        "a report that runs long costs the next one its period",
        "workflows/reports/schedules.py",
        "overlap=ScheduleOverlapPolicy.BUFFER_ALL",
        "overlap=ScheduleOverlapPolicy.SKIP",
        STILL_RUNS,
    ),
    SeededBug(
        "a definition's run begins beside its last one",
        SCHEDULES,
        "overlap=Overlap.SKIP, catchup_window=CATCH_UP, pause_on_failure=True",
        "overlap=Overlap.ALLOW_ALL, catchup_window=CATCH_UP, pause_on_failure=True",
        STILL_RUNS,
    ),
    SeededBug(
        "a sweep begins beside one that still reads",
        SCHEDULES,
        """Looks for events of {provider} that never came",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=SWEEP_EVERY)]),
        policy=SchedulePolicy(overlap=Overlap.SKIP,""",
        """Looks for events of {provider} that never came",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=SWEEP_EVERY)]),
        policy=SchedulePolicy(overlap=Overlap.BUFFER_ALL,""",
        STILL_RUNS,
    ),
    SeededBug(
        "a day's refunds of a server that was away begin beside those of the day before",
        SCHEDULES,
        "spec=_daily(REFUND_HOUR),\n        policy=SchedulePolicy(overlap=Overlap.SKIP,",
        "spec=_daily(REFUND_HOUR),\n        policy=SchedulePolicy(overlap=Overlap.ALLOW_ALL,",
        STILL_RUNS,
    ),
    SeededBug(
        "a refund run waits for a refund that answers somebody else",
        REFUND_RUN,
        "        except WorkflowAlreadyStartedError:\n            self._waiting.discard(workflow_id)",
        "        except WorkflowAlreadyStartedError:\n            workflow.logger.info(workflow_id)",
        f"{ANSWERS_TESTS}::test_a_run_does_not_wait_for_a_refund_that_somebody_else_began",
    ),
    SeededBug(
        "a refund run waits for its last answers without end",
        REFUND_RUN,
        'timeout=LAST_ANSWERS,\n                timeout_summary="what is left goes on by itself",',
        "",
        f"{ANSWERS_TESTS}::test_the_last_answers_are_waited_for_an_hour_and_what_is_left_then_is_under_way",
    ),
    SeededBug(
        "a refund run is certified before its last answers",
        REFUND_RUN,
        "        await self._wait_for_answers()\n",
        "",
        f"{ANSWERS_TESTS}::test_the_last_answers_are_waited_for_an_hour_and_what_is_left_then_is_under_way",
    ),
    SeededBug(
        "a refund run hands over while others of its window are answered",
        REFUND_RUN,
        "if self._answered == answered:",
        "if self._answered >= answered:",
        f"{ANSWERS_TESTS}::test_nobody_is_handed_over_while_others_of_the_window_are_answered",
    ),
    SeededBug(
        "a shard ends before those of its window are answered",
        SHARD,
        "        while self._tasks:\n            await",
        "        while self._tasks and self._steering.is_paused:\n            await",
        WINDOW_SLIDES,
    ),
    SeededBug(
        "a shard that closes asks those again who are being answered",
        SHARD,
        "window=size) == 0, CLOSING_TIME)",
        "window=size) >= 0, CLOSING_TIME)",
        CLOSES,
    ),
    SeededBug(
        "who was declined is handed over once all others of the window are answered",
        "workflows/runs/shard_payments.py",
        "        if outcome in _HAS_TO_WAIT:\n            await",
        "        if outcome in _HAS_TO_WAIT:\n            await workflow.wait_condition(lambda: not self._unanswered)\n"
        "            await",
        CLOSES,
    ),
)
