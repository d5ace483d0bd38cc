"""May a run start? Checked before Temporal is called, so that the answer is plain, after retention too (X17 to X19)."""

from dataclasses import dataclass
from datetime import datetime

from models.moment import in_utc
from models.period import DUE_RULE
from models.problem import Problem, RefusedError, refusal
from models.runs.process_run import RunKind, RunState
from models.runs.run_period import RunPeriod
from models.runs.schedule import RunCalendar

# A period is supplemented once it is closed; over nobody it is closed only when that is asked for.
CLOSED_RULE = "month_is_closed"
SOMEBODY_RULE = "somebody_is_due"


@dataclass(frozen=True)
class DefinitionState:
    """What decides whether a definition may run; provider and calendar are empty where it has none."""

    id: str
    kind: RunKind
    is_effective: bool
    provider_id: str = ""
    is_provider_effective: bool = True
    calendar: RunCalendar | None = None


def refusal_to_start(
    definition_id: str, kind: RunKind, period: str, definition: DefinitionState | None, earlier: RunState | None
) -> RefusedError | None:
    """Return why a run may not start, or None. A run that began and did not finish may be started again."""
    if definition is None or definition.kind is not kind:
        there_is = "" if definition is None else f"; it is a {definition.kind} run definition"
        problem = f"there is no {kind} run definition {definition_id!r}{there_is}"
        return refusal("definition", "run_definition_exists", problem)
    if not definition.is_effective:
        return refusal("definition", "run_definition_effective", f"{definition_id!r} is not effective")
    if not definition.is_provider_effective:
        return refusal("provider", "provider_effective", f"provider {definition.provider_id!r} is not effective")
    if earlier is RunState.COMPLETED:
        problem = f"{definition_id!r} was run for {period} and has its certificate"
        return refusal("period", "one_run_a_period", problem)
    return None


def refusal_to_supplement(definition_id: str, period: str, last: tuple[str, RunState] | None) -> RefusedError | None:
    """Return why a period cannot be supplemented, or None: its last run has no certificate yet."""
    if last is None:
        problem = f"{definition_id!r} was not run for {period}; start its run"
        return refusal("period", CLOSED_RULE, problem)
    run_id, state = last
    if state is not RunState.COMPLETED:
        return refusal("period", CLOSED_RULE, f"{run_id} is {state} and has no certificate yet")
    return None


def not_due(period: str, calendar: RunCalendar | None, now: datetime) -> Problem | None:
    """Return why a period is not due, or None. It is from the calendar's moment on; without one, when it begins."""
    wanted = RunPeriod.parse(period)
    if calendar is None:
        is_due = wanted.has_begun(now)
        return None if is_due else Problem("period", DUE_RULE, f"{wanted} begins on {wanted.starts_on}")
    due_at = calendar.due_in(wanted)
    if due_at is None:
        return Problem("period", DUE_RULE, f"{wanted} has no run by the calendar: {calendar.describe()}")
    return Problem("period", DUE_RULE, f"{wanted} is due at {in_utc(due_at)}") if due_at > now else None
