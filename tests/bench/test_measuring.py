"""The measuring itself, on a real stack: small, and true in every count."""

import pytest
from typer.testing import CliRunner

from bench import process_costs
from bench.__main__ import app
from bench.figures.throughput import measure_throughput
from bench.process_costs import Reading, cost
from sandbox.servers.processes import ServiceError


def test_what_others_used_is_what_the_machine_used_less_our_own() -> None:
    before = Reading(at=0.0, cpu_seconds={"a": 1.0, "b": 2.0}, machine_seconds=10.0)
    after = Reading(at=10.0, cpu_seconds={"a": 3.0, "b": 5.0}, machine_seconds=20.0)

    used = cost(before, after)

    assert used.per_payment_ms(1000) == {"a": 2.0, "b": 3.0}
    assert used.foreign_cores == 0.5


def test_a_run_that_charged_nobody_has_no_cost_per_payment() -> None:
    idle = Reading(at=0.0, cpu_seconds={}, machine_seconds=0.0)

    with pytest.raises(ServiceError, match="nobody was charged"):
        cost(idle, Reading(at=1.0, cpu_seconds={}, machine_seconds=0.0)).per_payment_ms(0)


@pytest.mark.parametrize("asked", [("--accounts", "0"), ("--accounts", "-5"), ("--seconds", "0")], ids="".join)
def test_a_month_of_nobody_is_refused_before_anything_is_started(asked: tuple[str, str]) -> None:
    refused = CliRunner().invoke(app, ["scale", *asked])

    assert (refused.exit_code, asked[0] in refused.output) == (2, True)


@pytest.mark.nightly
@pytest.mark.slow
async def test_every_payment_is_made_with_temporal_and_without() -> None:
    measured = await measure_throughput(accounts=20, pairs=1)

    (pair,) = measured.pairs
    # A loop that begins asks the gateway for its time; the workers have asked when they started.
    assert [(run.payments, run.not_charged, run.gateway_requests) for run in (pair.plain, pair.temporal)] == [
        (20, 0, 21),
        (20, 0, 20),
    ]
    assert pair.plain.cpu_ms[process_costs.WORKFLOW_WORKER] < pair.temporal.cpu_ms[process_costs.WORKFLOW_WORKER]
    assert pair.temporal.cpu_ms_of(*process_costs.TEMPORAL_AND_DULY) > 0
