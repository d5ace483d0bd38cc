"""Workers beside the stack."""

from pathlib import Path

import psutil
import pytest

import sandbox.workers
from sandbox.servers.processes import ServiceError
from sandbox.stack import StackOptions, running_stack
from sandbox.up import up
from sandbox.workers import running_worker


@pytest.mark.parametrize("role", ["all", "workflow", "gateway"])
async def test_a_worker_is_up_when_it_polls_and_ends_cleanly_when_it_is_stopped(
    everything_given: dict[str, str], role: str
) -> None:
    async with running_stack() as stack, running_worker(stack, role) as worker:
        running = worker.exit_code

    assert running is None
    assert worker.exit_code == 0


async def test_a_worker_that_ends_by_itself_ends_the_stack(everything_given: dict[str, str], tmp_path: Path) -> None:
    async with running_stack() as stack, running_worker(stack, "gateway") as worker:
        psutil.Process(worker.pid).kill()

        with pytest.raises(ServiceError, match="Worker gateway stopped: it ended with exit code -9"):
            await worker.watch()


async def test_a_worker_that_does_not_start_is_named_with_its_last_words(
    everything_given: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "worker.py").write_text("raise SystemExit('no table payments')\n")
    monkeypatch.setattr(sandbox.workers, "ROOT", tmp_path)

    with pytest.raises(ServiceError) as failed:
        await up(StackOptions(data=tmp_path / "data"), ["gateway"])

    assert str(failed.value) == (
        "Worker gateway did not start: it ended with exit code 1. Its last lines:\nno table payments\n"
        f"Its log: {tmp_path}/data/logs/worker-gateway.log"
    )
