"""What operators can do about a payment run at each of its stages; the validators allow the same."""

from models.runs.run_control import RunStage
from workflows.operator_actions import OperatorAction, actions_text

_PAUSE = OperatorAction("pause", "starts nothing new, payments in flight settle", "runs pause")
_RESUME = OperatorAction("resume", "goes on, or asks the gateway again at once", "runs resume")
_RATE = OperatorAction(
    "change_rate", "sets the provider's calls a second until the run ends", "runs rate", '"calls_per_second": 10', "10"
)
_ABORT = OperatorAction("abort", "ends the run: charged stays charged, the rest is released", "runs abort")

ORDERS: dict[RunStage, tuple[OperatorAction, ...]] = {
    RunStage.FREEZING: (_PAUSE, _ABORT),
    RunStage.COLLECTING: (_PAUSE, _RATE, _ABORT),
    RunStage.PAUSED: (_RESUME, _RATE, _ABORT),
    RunStage.HELD: (_RESUME, _PAUSE, _RATE, _ABORT),
    RunStage.ABORTING: (),
    RunStage.CERTIFYING: (),
    RunStage.CLOSED: (),
}


def actions_for(stage: RunStage, *, is_shadow: bool) -> tuple[OperatorAction, ...]:
    """Return the actions that a run takes at a stage; a shadow has no rate, for it asks no gateway."""
    return tuple(action for action in ORDERS[stage] if not (is_shadow and action is _RATE))


def actions_at(stage: RunStage, run_id: str, *, is_shadow: bool) -> str:
    """Return what can be done at a stage, in Markdown; nothing where only waiting is left."""
    return actions_text(actions_for(stage, is_shadow=is_shadow), target=run_id)
