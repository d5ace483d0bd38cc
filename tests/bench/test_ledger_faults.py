"""A server at fault loses nothing that it acknowledged: one injection of what `make bench` does ten times."""

import random
from pathlib import Path

import pytest

from bench.faults.faults import FAULTS
from bench.faults.ledger_faults import drop_replies, inject_repeatedly, loaded_server

KILLED = next(fault for fault in FAULTS if fault.name == "Every process killed")


@pytest.mark.nightly
@pytest.mark.slow
async def test_a_killed_server_and_lost_replies_lose_and_double_nothing(tmp_path: Path) -> None:
    async with loaded_server(tmp_path) as server:
        killed = await inject_repeatedly(server, KILLED, 1, random.Random(7))
        dropped = await drop_replies(server, seconds=2.0, seed=7)

    assert killed.verdict.unanswered > 0
    assert dropped.injections > 0
    for verdict in (killed.verdict, dropped.verdict):
        assert verdict.acknowledged > 0
        assert (verdict.lost, verdict.doubled, verdict.violations) == (0, 0, 0)
