"""The page on performance says what was measured, and says so when a figure falls short."""

from dataclasses import replace
from pathlib import Path

from bench.document import DOCUMENT, SECTIONS, document, section_of
from bench.figures.paced import LATE, MANY_NEVER, Pace, Paced, PacedRun
from bench.figures.throughput import Pair, Throughput
from bench.machine import Machine
from bench.measured_run import MeasuredRun
from bench.process_costs import BENCH, GATEWAY_WORKER, POSTGRESQL, STRIPE, TEMPORAL, WORKFLOW_WORKER
from bench.results import FOLDER, keep, kept

MACHINE = Machine("2026-11-23", 2, 24, "a processor", "Linux x86_64", {"Python": "3.11.7"})
CPU_MS = {POSTGRESQL: 4.0, TEMPORAL: 6.0, STRIPE: 0.5, WORKFLOW_WORKER: 3.0, GATEWAY_WORKER: 5.0, BENCH: 0.1}
RUN = MeasuredRun(
    payments=1000,
    not_charged=0,
    seconds=10.0,
    per_second=100.0,
    steady_per_second=25.0,
    cpu_ms=CPU_MS,
    foreign_cores=0.0,
    gateway_requests=1000,
    refused_busy=0,
    events_per_payment=3.5,
)


def test_the_page_is_what_the_results_say() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document()


def test_every_kept_result_has_a_section() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} <= set(SECTIONS)


def test_a_kept_figure_is_read_back_as_it_was(tmp_path: Path) -> None:
    figure = Throughput(MACHINE, 500, (Pair(RUN, RUN),))

    keep("throughput", figure, tmp_path)

    assert kept("throughput", Throughput, tmp_path) == figure


def test_a_figure_that_was_not_measured_is_not_spoken_of(tmp_path: Path) -> None:
    assert [section_of(name, tmp_path) for name in SECTIONS] == [""] * len(SECTIONS)


def test_a_target_that_is_met_is_said_to_be(tmp_path: Path) -> None:
    cheap = replace(RUN, cpu_ms=CPU_MS | {TEMPORAL: 0.2})
    keep("throughput", Throughput(MACHINE, 500, (Pair(replace(RUN, per_second=125.0), cheap),)), tmp_path)

    page = section_of("throughput", tmp_path)

    assert "- Target: 100 payments/s. Measured: 100.0. Met." in page
    assert "together. Measured: 8.2. Met." in page
    assert "- Target: 0.75 of the plain loop's rate. Measured: 0.80. Met." in page


def test_a_target_that_is_missed_is_said_to_be(tmp_path: Path) -> None:
    slow = replace(RUN, per_second=99.9, cpu_ms=CPU_MS | {TEMPORAL: 7.1})
    keep("throughput", Throughput(MACHINE, 500, (Pair(replace(RUN, per_second=300.0), slow),)), tmp_path)

    page = section_of("throughput", tmp_path)

    assert "- Target: 100 payments/s. Measured: 99.9. **Fell short.**" in page
    assert "together. Measured: 15.1. **Fell short.**" in page
    assert "- Target: 0.75 of the plain loop's rate. Measured: 0.33. **Fell short.**" in page


def test_one_pace_below_its_cap_is_enough_to_fall_short(tmp_path: Path) -> None:
    runs = (
        PacedRun(Pace(25, 25), replace(RUN, plateau_per_second=24.9)),
        PacedRun(Pace(100, 100, MANY_NEVER), replace(RUN, plateau_per_second=91.9)),
    )
    keep("paced", Paced(MACHINE, runs), tmp_path)

    page = section_of("paced", tmp_path)

    assert "- Target: at least 97% of 25/s, at once. Measured: 99.6%. Met." in page
    assert "99th percentile 4 s, 2.0% never. Measured: 91.9%. **Fell short.**" in page


def test_an_outage_that_costs_more_than_its_time_falls_short(tmp_path: Path) -> None:
    outage = Pace(100, 100, LATE, outage_seconds=600)
    keep("paced", Paced(MACHINE, (PacedRun(outage, replace(RUN, seconds=700.0)),)), tmp_path)

    page = section_of("paced", tmp_path)

    assert "an outage of 600 s costs at most 60 s more. Measured: 90 s. **Fell short.**" in page


def test_a_payment_that_was_lost_or_made_twice_is_counted(tmp_path: Path) -> None:
    keep("paced", Paced(MACHINE, (PacedRun(Pace(25, 30), RUN, doubled=2, not_known=1),)), tmp_path)

    page = section_of("paced", tmp_path)

    assert "every payment known in the end. Measured: 1 are not. **Fell short.**" in page
    assert "none charged twice. Measured: 2. **Fell short.**" in page
