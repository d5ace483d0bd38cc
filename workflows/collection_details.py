"""The text an operator reads on a collection: where it is, what happened, what comes next."""

from models.collection import CollectionRequest, CollectionStatus, Stage
from models.money import Money

_WHERE = {
    Stage.COLLECTING: "asking the gateway",
    Stage.DUNNING: "declined, waiting for a better moment",
    Stage.WAITING_FOR_CUSTOMER: "waiting for the customer",
    Stage.PROCESSING: "accepted by the gateway, outcome to come",
    Stage.UNKNOWN: "outcome unknown: nothing is tried until the gateway gives evidence",
    Stage.SETTLED: "settled",
    Stage.GIVEN_UP: "given up",
}
RECENT = 12


def details_of(request: CollectionRequest, status: CollectionStatus) -> str:
    """Return the current details in Markdown; ids and codes only."""
    next_line = (
        f"**Next** at {status.next_action_at:%Y-%m-%d %H:%M} UTC"
        if status.next_action_at
        else "**Next**: nothing to wait for"
    )
    happened = "\n".join(f"- {decision}" for decision in status.decisions[-RECENT:]) or "- nothing yet"
    return (
        f"**{status.stage}**: {_WHERE[status.stage]}\n\n"
        f"Account `{request.account_id}`, period {request.period}, {Money(status.amount_minor, status.currency)}, "
        f"attempt {status.attempt}, provider {request.provider}\n\n{next_line}\n\n**What happened**\n{happened}"
    )
