"""The text an operator reads on a card: where it is, what comes next, what they can do, what happened."""

from models.cards.card import CardState, CardStatus
from models.moment import in_utc
from workflows.markdown import beginning, listed, paragraphs
from workflows.operator_actions import OperatorAction, actions_text

WHERE = {
    CardState.REGISTERED: "the gateway is asked whether it is good, or waits for its holder",
    CardState.VALIDATING: "the gateway checks it, or waits for its holder",
    CardState.ACTIVE: "may be charged",
    CardState.REJECTED: "not accepted, never charged",
    CardState.BLOCKED: "not charged: refused for good, or its mandate was revoked",
    CardState.EXPIRED: "its last month is over",
    CardState.REPLACED: "another card has taken its place",
    CardState.REMOVED: "taken away",
}
RECENT = 12

_BLOCK = OperatorAction("block", "stops charges to it", "cards block")
_REMOVE = OperatorAction("remove", "takes it away for good, at the gateway too", "cards remove")
_REVALIDATE = OperatorAction("revalidate", "asks the gateway whether it is good", "cards revalidate")
_DEFAULT = OperatorAction("set_default", "makes it the first card to be charged", "cards set-default")
_RECURRING = OperatorAction(
    "set_recurring", "lets runs charge it, or not", "cards set-recurring", '"is_recurring": false', "--no-recurring"
)
_RESOLVE = OperatorAction(
    "resolve_unknown",
    "settles an attempt that nobody knows the outcome of, by the gateway's id or by the decision `was_not_charged`",
    "cards resolve",
    '"gateway_reference": "seti_..."',
    "--gateway-reference seti_...",
)

ORDERS: dict[CardState, tuple[OperatorAction, ...]] = {
    CardState.REGISTERED: (_REMOVE,),
    CardState.VALIDATING: (_REMOVE, _RESOLVE),
    CardState.ACTIVE: (_BLOCK, _REVALIDATE, _DEFAULT, _RECURRING, _REMOVE),
    CardState.BLOCKED: (_REVALIDATE, _REMOVE),
    CardState.EXPIRED: (_REVALIDATE, _REMOVE),
    CardState.REJECTED: (),
    CardState.REPLACED: (),
    CardState.REMOVED: (),
}


def details_of(card_id: str, status: CardStatus) -> str:
    """Return the current details in Markdown; ids, codes and what a receipt may show."""
    card = status.card
    if card is None:
        return beginning("registering", f"`{card_id}` is being written down")
    recurring = "charged by runs" if card.is_recurring else "not charged by runs"
    reason = f" ({card.state_reason})" if card.state_reason else ""
    label = f" {card.label}" if card.label else ""
    expiry = f", until {card.exp_year}-{card.exp_month:02d}" if card.exp_year else ""
    return paragraphs(
        f"### {card.state}{reason}: {WHERE[card.state]}",
        f"`{card_id}`{label}{expiry} of `{card.account_id}`, through {card.provider}; {recurring}, place"
        f" {card.fallback_order} in the order.",
        f"**Next** {in_utc(status.next_action_at)}: {status.next_action}" if status.next_action_at else "",
        listed("What happened", status.history, recent=RECENT),
        actions_text(ORDERS[card.state], target=card_id),
    )
