"""A server that is struck loses nothing that it acknowledged: one strike of what `make bench` does ten times."""

import random
from pathlib import Path

import pytest

from bench.faults.faults import FAULTS
from bench.ledger_faults import loaded_server, strike, swallow_replies

KILLED = next(fault for fault in FAULTS if fault.name == "Every process killed")


@pytest.mark.slow
async def test_a_killed_server_and_lost_replies_lose_and_double_nothing(tmp_path: Path) -> None:
    async with loaded_server(tmp_path) as mortal:
        killed = await strike(mortal, KILLED, 1, random.Random(7))
        swallowed = await swallow_replies(mortal, seconds=2.0, seed=7)

    assert killed.verdict.unanswered > 0
    assert swallowed.strikes > 0
    for verdict in (killed.verdict, swallowed.verdict):
        assert verdict.acknowledged > 0
        assert (verdict.lost, verdict.doubled, verdict.violations) == (0, 0, 0)
