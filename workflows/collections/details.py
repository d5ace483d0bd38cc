"""The text an operator reads on a collection: where it is, what comes next, what they can do, what happened."""

from models.collections.collection import ENDED, CollectionRequest, CollectionStatus, Stage
from models.gateway.decline import Decline, DeclineClass, classify
from models.gateway.gateway_request import CollectOutcome, CollectResult
from models.moment import in_utc, on_both_clocks
from models.money import Money
from models.payments.hold import HELD_BY_RULE
from workflows.collections.actions import actions_at
from workflows.markdown import listed, paragraphs

WHERE = {
    Stage.COLLECTING: "asking the gateway",
    Stage.DUNNING: "declined, waiting for a better moment",
    Stage.WAITING_FOR_CUSTOMER: "waiting for the customer",
    Stage.PROCESSING: "accepted by the gateway, the outcome is to come",
    Stage.UNKNOWN: "nobody knows whether it was charged, so nothing is tried until the gateway gives evidence",
    Stage.SETTLED: "nothing is owed any more",
    Stage.GIVEN_UP: "the receivable stays open",
}
_MEANS = {
    DeclineClass.SOFT: "the same card may work later",
    DeclineClass.TECHNICAL: "the card was not judged, something between us and the issuer failed",
    DeclineClass.ACTION_REQUIRED: "only the customer can let it pass",
    DeclineClass.HARD: "this card will not work again",
    DeclineClass.FRAUD: "this card will not work again, and nobody but the bank may be told why",
}
RECENT = 12


def subject_of(request: CollectionRequest, status: CollectionStatus) -> str:
    """Return account, amount and card in one line: the form that a run's timeline has too."""
    amount = f": {_amount(status)}" if status.currency else ""
    card = f", {status.last.card_label}" if status.last and status.last.card_label else ""
    return f"{request.account_id}{amount}{card}"


def details_of(request: CollectionRequest, status: CollectionStatus) -> str:
    """Return the current details in Markdown; ids, codes and amounts only."""
    return paragraphs(
        f"### {status.stage}: {_where(status)}",
        _receivable(request, status),
        _review(status),
        _next(status),
        _last_answer(status.last),
        listed("What happened", status.history, recent=RECENT),
        actions_at(status.stage, request, status.next_action_at, is_held=is_held_by_rule(status)),
    )


def is_held_by_rule(status: CollectionStatus) -> bool:
    """Say whether a rule holds its next attempt, or its page, until it is released."""
    is_last = status.stage is Stage.DUNNING and status.last is not None and status.last.code == HELD_BY_RULE
    return is_last or status.review_reason == HELD_BY_RULE


def _where(status: CollectionStatus) -> str:
    outcome = status.last.outcome if status.last else None
    is_held = status.stage is Stage.DUNNING and outcome is CollectOutcome.PROVIDER_NOT_EFFECTIVE
    return "held before anything was sent" if is_held else WHERE[status.stage]


def answer_of(result: CollectResult, currency: str) -> str:
    """Return what one attempt came to, as a line of what happened; a look that asked nobody is no attempt."""
    amount = f" of {Money(result.amount_minor, result.currency or currency)}" if result.amount_minor else ""
    card = f" on {result.card_label}" if result.card_label else ""
    code = result.decline_code or result.code
    if result.outcome is CollectOutcome.PROVIDER_NOT_EFFECTIVE and code:
        # It waits as for a provider, and the code says what for: mostly not for the provider.
        return f"nobody was asked: {code}"
    asked = f"attempt {result.attempt}{amount}{card}" if result.attempt else "nobody was asked"
    return f"{asked}: {result.outcome}{f', {code}' if code not in {'', result.outcome} else ''}"


def _amount(status: CollectionStatus) -> Money:
    """Return what was asked for last: less than was taken over, where a part was paid or credited since."""
    asked_minor = status.last.amount_minor if status.last else 0
    return Money(asked_minor or status.amount_minor, status.currency)


def _receivable(request: CollectionRequest, status: CollectionStatus) -> str:
    amount = f" **{_amount(status)}**" if status.currency else ""
    origin = f", handed over by `{request.run_id}`" if request.run_id else ", asked for by itself"
    return f"`{request.account_id}`{amount} for {request.period}, through {request.provider}{origin}"


def _review(status: CollectionStatus) -> str:
    return f"**A person is needed**: {status.review_reason or 'see below'}" if status.is_in_review else ""


def _next(status: CollectionStatus) -> str:
    if status.next_action_at is not None:
        since = f", unknown since {in_utc(status.unknown_since)}" if status.unknown_since else ""
        return f"**Next** {on_both_clocks(status.next_action_at, status.time_zone)}: {status.next_action}{since}"
    return "" if status.stage in ENDED else "**Next**: the gateway's answer"


def _last_answer(last: CollectResult | None) -> str:
    if last is None or not last.code:
        return ""
    if last.outcome is not CollectOutcome.DECLINED:
        return f"**Last answer** `{last.code}`"
    decline = Decline(last.code, last.decline_code, last.advice_code)
    kind = classify(decline)
    return f"**Last answer** `{decline.reason}` ({kind}): {_MEANS[kind]}"
