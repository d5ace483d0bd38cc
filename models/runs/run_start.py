"""May a run start? Asked before Temporal is, so that the answer is plain, after retention too (X17 to X19)."""

from dataclasses import dataclass

from models.problem import RefusedError, refusal
from models.runs.process_run import RunKind, RunState


@dataclass(frozen=True)
class DefinitionState:
    """What decides whether a definition may run; the provider's state is empty where it has none."""

    id: str
    kind: RunKind
    is_effective: bool
    provider_id: str = ""
    is_provider_effective: bool = True


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
