"""What operators can do about a collection at each of its stages; the validators allow the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from models.collections.collection import CollectionRequest, Stage
from workflows.operator_actions import OperatorAction, actions_text

_A_WEEK = timedelta(days=7)

_RETRY = OperatorAction("retry_now", "tries at once, on the usual card or on another (`card_id`)", "collections retry")
_GRACE = OperatorAction(
    "extend_grace", "leaves the customer in peace", "collections extend", '"until": "<until>"', "--until <day>"
)
_PAID = OperatorAction(
    "mark_paid_outside",
    "posts what came by other means",
    "collections mark-paid",
    '"reference": "stmt-42"',
    "--reference stmt-42",
)
_PAGE = OperatorAction("open_page", "returns the address of a page to pay on", takes_command=False)
_GIVE_UP = OperatorAction("give_up", "ends the collection, the receivable stays open", "collections give-up")
_SKIP = OperatorAction("skip_attempt", "leaves out the next attempt", "collections skip")
_RESOLVE = OperatorAction(
    "resolve_unknown",
    "settles it by the gateway's own id, which is checked, or by the decision `was_not_charged`",
    "collections resolve",
    '"gateway_reference": "pi_..."',
    "--gateway-reference pi_...",
)

ORDERS: dict[Stage, tuple[OperatorAction, ...]] = {
    Stage.COLLECTING: (),
    Stage.DUNNING: (_RETRY, _SKIP, _GRACE, _PAID, _PAGE, _GIVE_UP),
    Stage.WAITING_FOR_CUSTOMER: (_RETRY, _GRACE, _PAID, _PAGE, _GIVE_UP),
    Stage.PROCESSING: (),
    Stage.UNKNOWN: (_RESOLVE,),
    Stage.SETTLED: (),
    Stage.GIVEN_UP: (),
}

# What a rule holds is released or given up; it may be paid otherwise meanwhile.
HELD = (
    OperatorAction("release_hold", "makes the charge that a rule holds", "fraud release"),
    replace(_GIVE_UP, meaning="charges it never: the collection ends, the receivable stays open"),
    _PAID,
)


def actions_at(
    stage: Stage, request: CollectionRequest, next_action_at: datetime | None, *, is_held: bool = False
) -> str:
    """Return what can be done at a stage, in Markdown; nothing where only waiting is left."""
    actions = HELD if is_held else actions_with_examples(stage, next_action_at)
    return actions_text(actions, target=f"{request.account_id} {request.period}")


def actions_with_examples(stage: Stage, next_action_at: datetime | None) -> tuple[OperatorAction, ...]:
    """Return the actions with examples that are in order now: a grace reaches a week beyond what comes next."""
    until = (next_action_at + _A_WEEK).astimezone(UTC).isoformat() if next_action_at else ""
    return tuple(_at(until, action) for action in ORDERS[stage])


def _at(until: str, action: OperatorAction) -> OperatorAction:
    day = until.partition("T")[0]
    return replace(action, fields=action.fields.replace("<until>", until), options=action.options.replace("<day>", day))
