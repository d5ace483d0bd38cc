"""No statement outlives the activity that waits for it: it would be begun again while the first still runs."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest

from tests.house.source import Module, modules
from tests.operations.activity_timeouts import MARGIN_SECONDS, TimeOuts, longest_default, time_outs
from workflows import options

# Of a worker that was killed nobody hears more: whatever it did is begun again after so long at the latest.
LONGEST_UNNOTICED = timedelta(minutes=3)

ACTIVITY = """
SLOW = 600.0

class Sweeps:
    @activity.defn
    async def sweep(self):
        return await self._freeze()

    async def _freeze(self):
        return await self._database.call("freeze", timeout_seconds={seconds})
"""
WORKFLOW = "workflow.execute_activity_method(Sweeps.sweep, **DATABASE_SWEEP)"


def parsed(path: str, text: str) -> Module:
    return Module(Path(path), ast.parse(text))


def test_every_activity_is_given_longer_than_its_slowest_statement() -> None:
    compared = time_outs(modules())

    assert [each for each in compared if each.is_cut_short] == []
    assert len(compared) > 40


def test_a_statement_that_outlives_its_activity_is_found() -> None:
    for seconds, is_cut_short in ((60.0, False), (1795.0, True)):
        both = [parsed("workflows/s.py", WORKFLOW), parsed("activities/s.py", ACTIVITY.format(seconds=seconds))]

        [found] = time_outs(both)

        assert found == TimeOuts("Sweeps.sweep", max(seconds, longest_default()), 1800.0)
        assert found.is_cut_short is is_cut_short


def test_a_statement_of_another_module_counts_for_the_activity_that_calls_it() -> None:
    queries = "async def read(database):\n    return await database.rows('select 1', timeout_seconds=1795.0)"
    sweeps = ACTIVITY.format(seconds=60.0).replace("self._freeze()", "read(self._database)")
    program = [
        parsed("workflows/s.py", WORKFLOW),
        parsed("activities/s.py", f"from activities.queries import read\n{sweeps}"),
        parsed("activities/queries.py", queries),
    ]

    assert time_outs(program) == [TimeOuts("Sweeps.sweep", 1795.0, 1800.0)]


def test_a_time_out_that_nobody_can_read_is_no_time_out() -> None:
    both = [parsed("workflows/s.py", WORKFLOW), parsed("activities/database.py", ACTIVITY.format(seconds="self.given"))]

    with pytest.raises(TypeError, match=r"activities/database\.py:10: time-out self\.given is no number"):
        time_outs(both)


def test_the_default_of_statements_fits_into_the_shortest_activity() -> None:
    assert longest_default() + MARGIN_SECONDS <= 60


def test_a_worker_that_was_killed_is_missed_within_minutes_by_whatever_it_did() -> None:
    timings = {name: timing for name, timing in vars(options).items() if name.isupper() and isinstance(timing, dict)}

    missed = {
        name: min(timing["start_to_close_timeout"], timing.get("heartbeat_timeout", timedelta.max))
        for name, timing in timings.items()
    }

    assert [name for name, seconds in missed.items() if seconds > LONGEST_UNNOTICED] == []
    assert len(missed) > 10
