"""No statement outlives the activity that waits for it: it would be begun again while the first still runs."""

import ast
from pathlib import Path

from tests.house.source import Module, modules
from tests.operations.activity_timeouts import MARGIN_SECONDS, TimeOuts, longest_default, time_outs

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
    assert [each for each in time_outs(modules()) if each.is_cut_short] == []


def test_each_call_of_an_activity_is_compared() -> None:
    assert len(time_outs(modules())) > 40


def test_a_statement_that_outlives_its_activity_is_found() -> None:
    for seconds, is_cut_short in ((60.0, False), (1795.0, True)):
        both = [parsed("workflows/s.py", WORKFLOW), parsed("activities/s.py", ACTIVITY.format(seconds=seconds))]

        [found] = time_outs(both)

        assert found == TimeOuts("Sweeps.sweep", max(seconds, longest_default()), 1800.0)
        assert found.is_cut_short is is_cut_short


def test_the_default_of_statements_fits_into_the_shortest_activity() -> None:
    assert longest_default() + MARGIN_SECONDS <= 60
