"""Bugs seeded into the supervisor, reconciliation, recovery after a restore and merchants' connections."""

from tests.mutants.seeded_bugs import SeededBug

SUPERVISION = "activities/supervision/supervision.py"
RESUMPTION = "workflows/supervision/resumption.py"
RECONCILIATION = "workflows/reconciliation/reconciliation.py"
BALANCES = "activities/reconciliation/balances.py"
RESTORES = "activities/recovery/watch.py"
ADOPTION = "activities/recovery/adoption.py"
ACCOUNTS = "activities/merchants/accounts.py"
CONNECTION_STATE = "workflows/merchants/state.py"

PARTS_TESTS = "tests/supervision/test_parts.py"
PAGES_TESTS = "tests/supervision/scale/test_pages.py"
RULES_RESUMPTION_TESTS = "tests/supervision/rows/test_rules_resumption.py"
RECOVERY_TESTS = "tests/recovery/test_recovery.py"
FENCE_TESTS = "tests/recovery/test_fence.py"
DISCONNECTING_TESTS = "tests/merchants/test_disconnecting.py"
CHARGES_TESTS = "tests/reconciliation/test_charges.py"
SHARDS = f"{PARTS_TESTS}::test_the_shards_of_a_run_that_was_stopped_are_the_runs_and_not_listed_beside_it"

KEEPING_BUGS = (
    SeededBug(
        "a run that a person has ended goes on by itself",
        SUPERVISION,
        "if one.kind in _RUNS and stop.how in BY_A_PERSON:",
        "if one.kind in _RUNS and stop.how not in BY_A_PERSON:",
        SHARDS,
    ),
    SeededBug(
        "nobody is asked about a shard that its run does not begin again",
        SUPERVISION,
        "return NextStep.ASK if stop.workflow_id in missed else NextStep.WAIT",
        "return NextStep.WAIT",
        f"{PARTS_TESTS}"
        "::test_a_lost_shard_is_left_to_its_run_then_a_person_is_asked_and_their_command_ends_the_run_and_resumes_it",
    ),
    SeededBug(
        "a shard whose run was stopped is listed beside it",
        SUPERVISION,
        "if stop and found.part_of and await stop_of(self._client, found.part_of):",
        "if stop and found.part_of and not await stop_of(self._client, found.part_of):",
        SHARDS,
    ),
    SeededBug(
        "what was resumed is not noted when another start fails",
        SUPERVISION,
        "        if started:\n",
        "        if started and not failures:\n",
        f"{PAGES_TESTS}::test_what_was_started_is_noted_though_a_later_start_fails_and_the_repeat_starts_the_rest",
    ),
    SeededBug(
        "what was just begun is taken for something that was lost",
        SUPERVISION,
        "seconds=0 if request.only else self._young.total_seconds()",
        "seconds=0",
        f"{PARTS_TESTS}::test_events_that_nobody_delivers_are_delivered_by_a_sweep",
    ),
    SeededBug(
        "a comparison looks at its first page alone",
        SUPERVISION,
        "progress = Progress(page[-1].key, counted)",
        'progress = Progress(("~",) * len(page[-1].key), counted)',
        f"{PAGES_TESTS}::test_what_has_lost_its_workflow_is_resumed_on_whichever_page_it_is",
    ),
    SeededBug(
        "a page of which one runs is taken to run as a whole",
        "activities/supervision/running.py",
        "if running == len(named):",
        "if running:",
        f"{PAGES_TESTS}::test_of_a_page_only_what_has_lost_its_workflow_is_resumed",
    ),
    SeededBug(
        "a supplement that was stopped goes on as the month's own run",
        RESUMPTION,
        "case ObjectKind.RUN, (id, kind, definition, period, supplement):\n            request ="
        " RunRequest(definition, period, not_due_yet=True, supplement=int(supplement))",
        "case ObjectKind.RUN, (id, kind, definition, period, supplement):\n            request ="
        " RunRequest(definition, period, not_due_yet=True, supplement=0)",
        f"{RULES_RESUMPTION_TESTS}::test_a_run_goes_on_as_the_supplement_that_it_was",
    ),
    SeededBug(
        "what is resumed is asked of the standard provider",
        RESUMPTION,
        "provider, account = one.provider or STANDARD_PROVIDER, one.account_id",
        "provider, account = STANDARD_PROVIDER, one.account_id",
        f"{RULES_RESUMPTION_TESTS}::test_what_is_of_a_provider_is_asked_of_that_provider",
    ),
    SeededBug(
        "who stopped a workflow is not kept",
        "activities/supervision/stops.py",
        "return WhoAndWhy(ended.identity, ended.reason)",
        "return WhoAndWhy(ended.reason, ended.identity)",
        "tests/supervision/test_supervisor.py"
        "::test_what_was_terminated_goes_on_from_its_row_after_a_while_and_it_is_kept_who_ended_it",
    ),
    SeededBug(
        "what was confirmed wakes nobody",
        RECONCILIATION,
        "*(one.wake for one in read), confirmed.wake)",
        "*(one.wake for one in read))",
        "tests/reconciliation/test_captured_later.py"
        "::test_a_receivable_in_dunning_that_such_a_payment_settles_is_over_at_once",
    ),
    SeededBug(
        "a difference in cents is added to one in tenths of a cent",
        BALANCES,
        "part.gateway_minor + units * whole.gateway_minor,",
        "part.gateway_minor + whole.gateway_minor,",
        "tests/reconciliation/test_settled_currencies.py"
        "::test_of_a_currency_in_which_the_gateway_is_finer_whole_units_and_parts_are_one_balance",
    ),
    SeededBug(
        "what is young at the gateway is taken for what nobody has booked",
        "activities/reconciliation/reading.py",
        'planned["read_until"]})',
        'planned["read_until"]} | {"old_before": now})',
        "tests/reconciliation/test_live_traffic.py::test_what_is_young_at_the_gateway_is_left_for_the_next_round",
    ),
    SeededBug(
        "an object that waits is looked at once",
        "workflows/reconciliation/object_check.py",
        'checked.outcome == "waiting" and self._checks < CHECKS_MAX',
        'checked.outcome == "waiting" and self._checks > CHECKS_MAX',
        "tests/reconciliation/checks/test_waiting.py::test_an_object_is_checked_until_whoever_sent_it_has_recorded_it",
    ),
    SeededBug(
        "a log that ends before what was seen is no restore",
        RESTORES,
        "or server.log_position < log_seen:",
        "or server.log_position < 0:",
        f"{RECOVERY_TESTS}::test_a_server_whose_log_ends_before_what_this_process_has_seen_of_it_is_held",
    ),
    SeededBug(
        "payments without rows hold nothing",
        RESTORES,
        "        if unknown:\n            why",
        "        if not unknown and keys:\n            why",
        f"{RECOVERY_TESTS}::test_a_gap_that_is_shorter_than_a_beat_is_noticed_by_payments_without_rows",
    ),
    SeededBug(
        "a Temporal that remembers what it was given has forgotten",
        RESTORES,
        ">= (given.epoch, given.number):",
        "> (given.epoch, given.number):",
        f"{RECOVERY_TESTS}::test_a_temporal_that_has_forgotten_is_noticed_and_holds_nothing",
    ),
    SeededBug(
        "a workflow of before a restore writes on",
        "activities/recovery/fence.py",
        "and began < epoch_began_at:",
        "and began > epoch_began_at:",
        f"{FENCE_TESTS}::test_a_workflow_that_began_before_a_restore_writes_nothing_more_and_is_ended",
    ),
    SeededBug(
        "what a workflow continues as is younger than a restore",
        "workflows/generation.py",
        "info.headers.get(BEGAN_HEADER) or write_moment(info.workflow_start_time)",
        "write_moment(info.workflow_start_time)",
        f"{FENCE_TESTS}::test_what_a_workflow_starts_is_as_old_as_its_first_execution",
    ),
    SeededBug(
        "the attempts at a receivable are written down in any order",
        ADOPTION,
        "key=lambda one: (one.period, one.number)):",
        "key=lambda one: (one.period, -one.number)):",
        "tests/recovery/test_adoption.py"
        "::test_payments_refunds_and_declines_that_were_forgotten_are_written_down_again",
    ),
    SeededBug(
        "customers are written to about what they heard of before",
        ADOPTION,
        '        reading.adopted += 1\n        await self._database.call("withhold_recovered",'
        " account_id=made.account_id, since=since)",
        "        reading.adopted += 1",
        "tests/recovery/test_receipts.py::test_of_a_reading_that_was_interrupted_between_two_commits",
    ),
    SeededBug(
        "a merchant that is disconnected is watched on",
        "workflows/merchants/handlers.py",
        "        state.waiter.wake(WakeReason.GIVE_UP)\n",
        "",
        f"{DISCONNECTING_TESTS}::test_who_disconnects_ends_it_at_once_keeps_the_history_and_leaves_the_account_alone",
    ),
    SeededBug(
        "nobody is asked about an owner who shuts us out",
        "workflows/merchants/merchant_connection.py",
        'if stored.reason != "by_a_person":',
        'if stored.reason == "by_a_person":',
        f"{DISCONNECTING_TESTS}::test_an_owner_who_shuts_us_out_ends_the_connection_and_a_person_is_asked",
    ),
    SeededBug(
        "another account has the key of the one before",
        ACCOUNTS,
        "key = new.key_of(stored.generation)",
        "key = new.key_of(1)",
        f"{DISCONNECTING_TESTS}::test_a_merchant_that_was_disconnected_gets_another_account_only_when_it_is_asked_for",
    ),
    SeededBug(
        "an account whose answer was lost is made again",
        ACCOUNTS,
        "await self._made_before(new) or await self._made(new, key)",
        "await self._made(new, key)",
        "tests/recovery/forgotten/test_merchants.py"
        "::test_an_account_whose_answer_was_lost_is_found_by_a_gateway_that_knows_no_keys",
    ),
    SeededBug(
        "a connection that goes on as new forgets what a person was asked",
        CONNECTION_STATE,
        "resumed = MerchantConnectionSnapshot(self.checks, self.waiter.snapshot())",
        "resumed = MerchantConnectionSnapshot(self.checks)",
        "tests/merchants/test_rules_standing.py"
        "::test_a_connection_that_goes_on_as_new_carries_how_often_it_was_read_and_what_a_person_was_asked",
    ),
    SeededBug(
        "what the lists have found wakes nobody",
        RECONCILIATION,
        "*(one.wake for one in read), confirmed.wake)",
        "confirmed.wake)",
        f"{CHARGES_TESTS}::test_a_refund_in_the_dashboard_whose_money_has_not_moved_is_watched_from_then_on",
    ),
    SeededBug(
        "candidates are looked at by their first page alone",
        "activities/reconciliation/confirming.py",
        "            after = rows[-1].id\n",
        "            break\n",
        f"{CHARGES_TESTS}::test_payments_of_no_customer_of_ours_are_listed_on_whichever_page_and_not_booked",
    ),
    SeededBug(
        "a balance that moves is a discrepancy",
        BALANCES,
        "if one.difference_minor and len(differences) == 1:",
        "if one.difference_minor:",
        "tests/reconciliation/checks/test_balances_at_rest.py::test_a_difference_counts_once_it_stays_the_same",
    ),
    SeededBug(
        "a process remembers no beat of its own",
        RESTORES,
        "self._seen, self._seen_server = beat, server\n        await",
        "self._seen_server = server\n        await",
        f"{RECOVERY_TESTS}::test_a_process_that_works_on_notices_that_its_database_was_restored",
    ),
    SeededBug(
        "the second round of a day notifies nobody",
        RECONCILIATION,
        'workflow_ids.mailing_id(f"{plan.reconciliation_id}/{plan.round}")',
        "workflow_ids.mailing_id(plan.reconciliation_id)",
        f"{CHARGES_TESTS}::test_operators_are_notified_of_what_each_round_of_a_day_finds",
    ),
    SeededBug(
        "nobody is asked when the gateway wants something of a merchant that is paid",
        CONNECTION_STATE,
        "and (was_paid or stored.state is ConnectionState.RESTRICTED):",
        "and stored.state is ConnectionState.RESTRICTED:",
        "tests/merchants/test_connections.py::test_what_the_gateway_finds_later_stops_payments_and_asks_a_person",
    ),
)
