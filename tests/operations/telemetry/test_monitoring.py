"""Alerts and dashboard name what running processes show, and all of what is ours is on the dashboard."""

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from prometheus_client.parser import text_string_to_metric_families
from temporalio.client import Client

from models.runs.process_run import RunRequest
from models.workflow_ids import WORKFLOW_QUEUE, billing_run_id, payment_run_id
from sandbox.stack import Stack
from sandbox.workers import running_webhook, running_worker
from starter import app
from tests.house.documents import unknown_commands
from tests.house.source import ROOT
from tests.operations.telemetry.metrics_table import our_metrics, shown_name
from tests.operations.telemetry.process_client import client_of, until_ready
from tests.support.builders import Merchant, declined
from tests.test_docs import commands_of
from workflows.registered import WORKFLOWS
from workflows.runs.billing_run import BillingRun
from workflows.runs.payment_run import PaymentRun

MONITORING = ROOT / "monitoring"
ALERTS = MONITORING / "alerts.yml"
NAMED = re.compile(r"\b((?:duly|temporal|process)_[a-z0-9_]+)")
# What Prometheus derives from a histogram.
OF_A_HISTOGRAM = re.compile(r"_(bucket|sum|count)$")


def alert_rules() -> list[dict[str, Any]]:
    """The rules of alerts.yml."""
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


@cache
def named_by_alerts() -> frozenset[str]:
    """The metrics that rules are about; asked for with each sample that a process shows."""
    return frozenset(name for rule in alert_rules() for name in NAMED.findall(rule["expr"]))


def named_by_dashboard() -> set[str]:
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    return {name for panel in panels for target in panel.get("targets", ()) for name in NAMED.findall(target["expr"])}


def promtool(*arguments: str) -> str:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("no promtool on this machine (Debian's package prometheus has it)")
    run = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, cwd=MONITORING)
    return "" if run.returncode == 0 else run.stdout + run.stderr


@pytest.mark.nightly
@pytest.mark.slow
async def test_alerts_and_dashboard_name_what_running_processes_show(
    observed_stack: Stack, merchant: Merchant, temporal_server: Client, period: str
) -> None:
    for account, answers in (("acc_1", ()), ("acc_2", (declined("insufficient_funds"),))):
        await merchant.subscription(await merchant.account(account, answers=answers), price_minor=1000)

    async with (
        running_worker(observed_stack, "all"),
        running_webhook(observed_stack),
        client_of(observed_stack, "worker-all") as worker,
        client_of(observed_stack, "webhook") as receiver,
    ):
        await until_ready(worker)
        for run, definition, run_id in (
            (BillingRun.run, "plans", billing_run_id("plans", period)),
            (PaymentRun.run, "monthly", payment_run_id("monthly", period)),
        ):
            request = RunRequest(definition, period, not_due_yet=True)
            await temporal_server.execute_workflow(run, request, id=run_id, task_queue=WORKFLOW_QUEUE)
        texts = [(await client.get("/metrics")).text for client in (worker, receiver)]

    shown = {shown_name(family) for text in texts for family in text_string_to_metric_families(text)}
    named = {OF_A_HISTOGRAM.sub("", name) for name in named_by_alerts() | named_by_dashboard()}
    assert named - shown == set()
    assert 'duly_payments_total{decline_class="",outcome="succeeded",provider="stripe"} 1.0' in texts[0]
    assert not [word for word in ("acc_", "@", "cus_", "pi_", "sk_test", "whsec") for text in texts if word in text]


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    on_it = {OF_A_HISTOGRAM.sub("", name) for name in named_by_dashboard()}

    assert {shown_name(metric) for metric in our_metrics()} - on_it == set()


def test_every_alert_says_what_it_means_and_what_to_do() -> None:
    rules = alert_rules()
    program = commands_of(typer.main.get_command(app))

    assert [rule["alert"] for rule in rules if rule["annotations"].keys() != {"summary", "description", "action"}] == []
    assert {rule["labels"]["severity"] for rule in rules} == {"page", "ticket"}
    assert unknown_commands("\n".join(f"`{rule['annotations']['action']}`" for rule in rules), program) == []


def test_every_alert_fires_in_a_test_of_the_rules() -> None:
    tested = (MONITORING / "alerts_test.yml").read_text()

    assert [rule["alert"] for rule in alert_rules() if f'alertname="{rule["alert"]}"' not in tested] == []


def test_prometheus_keeps_the_types_of_workflow_that_there_are() -> None:
    (job,) = yaml.safe_load((MONITORING / "prometheus.yml").read_text())["scrape_configs"]
    (kept,) = job["metric_relabel_configs"]

    assert kept["action"] == "keep"
    assert set(kept["regex"].split("|")) == {"", *(workflow.__name__ for workflow in WORKFLOWS)}


@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "alerts.yml"), ("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")],
    ids=" ".join,
)
def test_prometheus_takes_the_alerts(arguments: tuple[str, ...]) -> None:
    assert promtool(*arguments) == ""


def test_the_panels_of_the_dashboard_do_not_lie_over_each_other() -> None:
    panels = json.loads(Path(MONITORING / "dashboard.json").read_text())["panels"]
    taken = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
