"""Workflows that were stopped: what was pressed or broke, by whom, and what becomes of what they looked after."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CancelAsked:
    """Somebody pressed Cancel on a workflow that decides for itself what that means."""

    workflow_id: str
    execution: str
    reason: str
