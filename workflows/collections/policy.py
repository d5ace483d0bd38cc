"""What the dunning policy decides about a decline, with the tries it has used up so far."""

from datetime import datetime

from models.collections.collection import CollectionSnapshot
from models.collections.dunning import DunningDecision, DunningPolicy, after_decline
from models.gateway.decline import Decline, DeclineClass, classify, is_known
from models.gateway.gateway_request import CollectResult

# The cards that a decline of this class rules out: another of the account's cards may still work at once.
RULES_OUT_CARD = frozenset({DeclineClass.HARD, DeclineClass.FRAUD})


def decline_of(result: CollectResult) -> Decline:
    """Return the decline that an attempt's result carries."""
    return Decline(result.code, result.decline_code, result.advice_code)


def decide(snapshot: CollectionSnapshot, result: CollectResult, *, now: datetime, tries: int) -> DunningDecision:
    """Return what the collection's policy says about a decline after so many tries of its class."""
    decline = decline_of(result)
    return after_decline(
        classify(decline),
        policy=snapshot.terms.policy,
        tries=tries,
        declined_at=now,
        time_zone=snapshot.terms.time_zone,
        is_known=is_known(decline),
    )


def count_try(snapshot: CollectionSnapshot, kind: DeclineClass, *, one: int) -> int:
    """Count a scheduled attempt of a class, or none: what people and new cards caused uses nothing up."""
    if kind is DeclineClass.TECHNICAL:
        snapshot.technical_declines += one
        return max(1, snapshot.technical_declines)
    snapshot.soft_declines += one
    return max(1, snapshot.soft_declines)


def next_card(result: CollectResult, policy: DunningPolicy, tried: tuple[str, ...]) -> str:
    """Return the card to try at once after a decline: one that was not tried since the last wait; empty for none."""
    kind = classify(decline_of(result))
    if policy.once:
        return ""
    if kind not in RULES_OUT_CARD and not (kind is DeclineClass.SOFT and policy.tries_other_cards):
        return ""
    return next((card for card in result.other_card_ids if card not in tried), "")
