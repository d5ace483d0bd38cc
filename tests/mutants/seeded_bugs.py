"""Bugs to be seeded into workflows and activities, one at a time, each with the test that has to find it."""

from dataclasses import dataclass

COLLECTION = "workflows/collections/collection.py"
COLLECTION_HANDLERS = "workflows/collections/handlers.py"
COLLECTION_WAITS = "workflows/collections/waits.py"
COLLECTION_STATE = "workflows/collections/state.py"
ATTEMPTS = "activities/gateway/attempts.py"
REFUND = "workflows/refunds/refund.py"
REFUNDS = "activities/refunds/refunds.py"
REDUCTION = "workflows/reductions/back_end_reduction.py"
DISPUTE = "workflows/disputes/dispute.py"

OPERATORS = "tests/collections/test_operators.py"
USED_UP = "tests/collections/test_giving_up.py::test_an_attempt_that_a_person_or_a_new_card_caused_uses_nothing_up"
UNKNOWN = "tests/collections/test_unknown.py"
PAGES = "tests/collections/test_payment_pages.py"
OTHER_CARDS = "tests/collections/test_other_cards.py"
REFUND_TESTS = "tests/refunds/test_refunds.py"
REDUCTION_TESTS = "tests/reductions/test_reductions.py"
DISPUTE_TESTS = "tests/disputes/test_disputes.py"
LIFECYCLE = "tests/cards/test_lifecycle.py"


@dataclass(frozen=True)
class SeededBug:
    """A change of the source's text that breaks it, what it does, and the test that fails by it."""

    does: str
    file: str
    before: str
    after: str
    killer: str

    def seeded_in(self, source: str) -> str:
        """Return the source with the bug in it. ValueError unless it applies exactly once."""
        if source.count(self.before) != 1:
            raise ValueError(f"{self.file}: {self.before!r} stands there {source.count(self.before)} times")
        return source.replace(self.before, self.after)


BUGS = (
    SeededBug(
        "manual attempts count as scheduled",
        COLLECTION,
        "one=int(is_new and snapshot.cause is AttemptCause.SCHEDULED)",
        "one=int(is_new)",
        USED_UP,
    ),
    SeededBug(
        "a new card's attempt counts as scheduled",
        COLLECTION,
        'state.begin_attempt(AttemptCause.CARD_CHANGED, "the account has another card")',
        'state.begin_attempt(AttemptCause.SCHEDULED, "the account has another card")',
        USED_UP,
    ),
    SeededBug(
        "a skipped attempt does not count",
        COLLECTION,
        "tries, planned_at = count_try(snapshot, kind, one=1), None",
        "tries, planned_at = count_try(snapshot, kind, one=0), None",
        f"{OPERATORS}::test_skipping_every_attempt_gives_up_without_asking_the_issuer",
    ),
    SeededBug(
        "nobody is asked about an outcome that stays unknown",
        COLLECTION_WAITS,
        "if workflow.now() - snapshot.unknown_since >= self._review_after(result):",
        "if workflow.now() - snapshot.unknown_since >= 99 * self._review_after(result):",
        "tests/collections/test_blocking.py::test_a_person_is_asked_about_an_outcome_that_nobody_knows_after_six_hours",
    ),
    SeededBug(
        "an unknown outcome is taken for one that did not happen",
        COLLECTION,
        "return await self._wait_for_evidence(result)\n            case _:",
        'state.begin_attempt(AttemptCause.SCHEDULED, "")\n                return GO_ON\n            case _:',
        f"{OPERATORS}::test_nothing_is_tried_while_an_outcome_is_unknown",
    ),
    SeededBug(
        "giving up does not close the customer's page first",
        COLLECTION,
        "await self._end_page()\n        return GO_ON",
        "return await self._take_chance(wake)",
        f"{PAGES}::test_giving_up_closes_the_page",
    ),
    SeededBug(
        "the policy's end is not applied to the account",
        COLLECTION,
        "action = action_at_end(snapshot.terms.policy, stage, reason)",
        "action = action_at_end(snapshot.terms.policy, Stage.SETTLED, reason)",
        "tests/collections/test_giving_up.py::test_the_policy_says_what_then",
    ),
    SeededBug(
        "no other card is tried",
        COLLECTION,
        "if self._state.try_other_card(result):",
        "if False:",
        f"{OTHER_CARDS}::test_another_card_is_tried_when_one_with_several_tokens_is_stolen",
    ),
    SeededBug(
        "a card that was tried is tried again",
        COLLECTION_STATE,
        "snapshot.tried_cards = tried",
        "snapshot.tried_cards = ()",
        f"{OTHER_CARDS}::test_each_card_is_tried_once_and_then_the_policy_waits",
    ),
    SeededBug(
        "commands are taken while an outcome is outstanding",
        COLLECTION_HANDLERS,
        'if stage not in BETWEEN_ATTEMPTS:\n            raise CommandError(f"stage: {stage}; this',
        'if not stage:\n            raise CommandError(f"stage: {stage}; this',
        f"{OPERATORS}::test_nothing_is_tried_while_an_outcome_is_unknown",
    ),
    SeededBug(
        "what was paid outside leaves the page open",
        COLLECTION_HANDLERS,
        "await self._close_page()\n        with surfacing_refusal():",
        "with surfacing_refusal():",
        f"{PAGES}::test_the_page_is_closed_before_anything_else_is_done",
    ),
    SeededBug(
        "grace before a retry does not move it",
        "workflows/collections/waits.py",
        "self._state.snapshot.planned_at = until",
        "until = self._state.snapshot.planned_at or until",
        f"{OPERATORS}::test_grace_moves_what_comes_next",
    ),
    SeededBug(
        "absence proves at once that nothing happened",
        ATTEMPTS,
        "if why := attempt.why_absence_proves_nothing(_earlier(checked_at, self._clocks.gateway.earliest_now)):",
        'if why := "":',
        f"{UNKNOWN}::test_a_request_sent_a_moment_ago_may_still_arrive_so_its_absence_proves_nothing_yet",
    ),
    SeededBug(
        "whatever is found right after a lost answer is believed",
        ATTEMPTS,
        'has_happened = found is not None and calls.outcome_from(found)["outcome"] is AttemptOutcome.SUCCEEDED',
        "has_happened = found is not None",
        f"{UNKNOWN}::test_what_looks_unpaid_right_after_a_lost_answer_is_left_to_the_key",
    ),
    SeededBug(
        "a refused look counts as absence",
        ATTEMPTS,
        "raise GatewayUnansweredError(error.code) from error\n        if found is None:",
        "found = None\n        if found is None:",
        f"{UNKNOWN}::test_a_look_that_is_refused_says_nothing_about_what_happened",
    ),
    SeededBug(
        "a key that may not be sent is sent",
        ATTEMPTS,
        "if calls.send is None or not attempt.may_be_sent:",
        "if calls.send is None:",
        f"{UNKNOWN}::test_a_key_older_than_a_day_that_never_arrived_did_not_happen",
    ),
    SeededBug(
        "an unanswered call is not written down",
        ATTEMPTS,
        "await self._record_unanswered(attempt, error)\n            raise",
        "raise",
        f"{UNKNOWN}::test_a_stored_error_before_any_effect_is_proved_by_absence_and_followed_by_a_new_attempt",
    ),
    SeededBug(
        "a card that was declined for good stays chargeable",
        "activities/collections/attempt.py",
        '"blocks_card": found.decline is not None and blocks_card(decline),',
        '"blocks_card": False,',
        f"{LIFECYCLE}::test_a_decline_that_blocks_a_card_is_heard_by_its_workflow_at_once",
    ),
    SeededBug(
        "the other tokens of a blocked card are not named",
        "activities/collections/collect.py",
        "return replace(result, same_card_ids=tuple(row.id for row in rows))",
        "return result",
        f"{LIFECYCLE}::test_the_other_tokens_of_a_card_that_a_payment_has_blocked_are_read_again_at_once",
    ),
    SeededBug(
        "a refund that did not happen is attempted under its old number",
        REFUNDS,
        "return await self.refund(RefundAttempt(await self._reserved(refund_id), refund.attempt.number + 1))",
        "return await self.refund(RefundAttempt(await self._reserved(refund_id), refund.attempt.number))",
        "tests/refunds/test_resumed_refunds.py"
        "::test_a_refund_that_did_not_happen_when_its_workflow_was_stopped_is_attempted_anew",
    ),
    SeededBug(
        "what a cancelled payment leaves open is not collected at once",
        REFUND,
        "if not result.collect_as or self._snapshot.is_collected_again:",
        "if result.collect_as or self._snapshot.is_collected_again:",
        "tests/refunds/test_cancellations.py::test_where_the_rule_says_so_it_is_collected_at_once",
    ),
    SeededBug(
        "a refund without an answer keeps what was known of another attempt",
        REFUND,
        "if last.outcome in NOT_SENT and workflow.patched(NO_ANSWER_IS_NO_STATE):",
        "if not last.outcome and workflow.patched(NO_ANSWER_IS_NO_STATE):",
        "tests/refunds/test_resumed_refunds.py"
        "::test_that_nothing_was_sent_before_says_nothing_about_the_call_that_got_no_answer",
    ),
    SeededBug(
        "a reward does not wait for its hold period",
        REDUCTION,
        "elif workflow.now() < (until := reduction.held_until):",
        "elif (until := reduction.held_until) < workflow.now() < until:",
        f"{REDUCTION_TESTS}::test_it_waits_until_its_hold_period_is_over",
    ),
    SeededBug(
        "a sale that comes back leaves its reward",
        REDUCTION,
        "if reduction.is_sale_returned:\n            return await self._claw_back(reduction)",
        "if reduction.is_sale_returned and reduction.is_disputed:\n            return await self._claw_back(reduction)",
        f"{REDUCTION_TESTS}::test_a_sale_that_is_cancelled_afterwards_claws_it_back",
    ),
    SeededBug(
        "nobody is reminded of evidence",
        DISPUTE,
        ")).reason is WakeReason.TIMER:",
        ")).reason is WakeReason.CHECK:",
        f"{DISPUTE_TESTS}::test_operators_are_reminded_before_evidence_is_due",
    ),
    SeededBug(
        "rewards do not learn of a dispute",
        DISPUTE,
        "await signal_reductions_of(dispute.payment_id, self._request.provider)\n\n    def _send",
        "\n    def _send",
        f"{DISPUTE_TESTS}::test_a_reward_goes_on_when_the_dispute_is_won",
    ),
    SeededBug(
        "requests of a merchant's provider go to the platform's account",
        "activities/gateway/stripe_gateway.py",
        "stripe_account=account or None,",
        "stripe_account=None,",
        "tests/merchants/providers/test_direct_charges.py"
        "::test_a_merchants_customer_pays_to_its_account_and_the_platforms_to_its_own",
    ),
    SeededBug(
        "who reconnects an account needs no e-mail of it",
        "activities/merchants/accounts.py",
        "if facts.email.casefold() != terms.email.casefold():",
        "if not facts.email:",
        "tests/merchants/test_disconnecting.py"
        "::test_who_names_another_account_or_e_mail_is_refused_and_nothing_is_connected",
    ),
    SeededBug(
        "an account without the capability is successful",
        "models/merchants/account.py",
        "return self.charges_enabled and is_active",
        "return self.charges_enabled",
        "tests/merchants/test_rules_standing.py",
    ),
)
