"""The operators' views: each finds what it is for, and nothing else, on a real server."""

import itertools
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import lxml.html
import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.worker import Worker
from temporalio.workflow import _Definition

from commands.operations.saved_views import MOMENTS, VIEWS, filled_in, link_of, query_of
from models.cards.card import CardState
from models.collections.collection import Stage
from models.disputes.dispute import DisputeState
from models.gateway.decline import DeclineClass
from models.operator_command import CommandError
from models.reductions.reduction import PAID, ReductionState
from models.refunds.refund import RefundOutcome
from models.runs.run_control import RunStage
from tests.house.source import ROOT
from tests.house.views import view_rows
from tests.support.command_line import CommandLine
from tests.support.run_control import until
from workflows import visibility
from workflows.registered import WORKFLOWS

NOW = datetime.now(UTC)
RUN = "run/views/2026-11"
ACCOUNT = "acc_views"
VALUES = filled_in(NOW, run=RUN, account=ACCOUNT)
NUMBERS = itertools.count()

# What each type of workflow shows as its stage.
STAGES: dict[str, set[str]] = {
    "BackEndReduction": {*ReductionState, PAID, "frozen"},
    "CardLifecycle": {*CardState},
    "Collection": {*Stage},
    "Dispute": {*DisputeState},
    "PaymentRun": {*RunStage},
    "Refund": {*RefundOutcome},
}
EVERY_STAGE = {stage for stages in STAGES.values() for stage in stages}

Attributes = Mapping[SearchAttributeKey[Any], Any]
Case = tuple[str, Attributes, bool]


def case(type_: str = "Collection", *, closed: bool = False, **attributes: Any) -> Case:
    keys = {key.name: key for key in visibility.SEARCH_ATTRIBUTES}
    return type_, {keys[name]: value for name, value in attributes.items()}, closed


LONG_AGO, JUST_NOW = NOW - timedelta(hours=2), NOW - timedelta(minutes=5)
SOON, LATER = NOW + timedelta(hours=20), NOW + timedelta(days=2)

# For each view: what it must find, and what is like it but no business of it.
CASES: dict[str, tuple[list[Case], list[Case]]] = {
    "Under way": (
        [case("PaymentRun", Stage="collecting"), case("Refund", Stage="pending"), case("BillingRun")],
        [
            case("CardLifecycle", Stage="active"),
            case("Refund", Stage="refunded"),
            case("BackEndReduction", Stage="paid"),
            case(closed=True),
        ],
    ),
    "Needs a person": (
        [case(NeedsReview=True), case("PaymentRun", NeedsReview=True)],
        [case(NeedsReview=False), case(NeedsReview=True, closed=True)],
    ),
    "Unknown for over an hour": (
        [case(Stage="unknown", UnknownSince=LONG_AGO), case(Stage="collecting", UnknownSince=LONG_AGO)],
        [case(Stage="unknown", UnknownSince=JUST_NOW), case(Stage="dunning", UnknownSince=LONG_AGO)],
    ),
    "In dunning": ([case(Stage="dunning")], [case(Stage="unknown"), case(Stage="dunning", closed=True)]),
    "Waits for the customer": ([case(Stage="waiting_for_customer")], [case(Stage="dunning")]),
    "Wants an authentication": (
        [case(Stage="waiting_for_customer", DeclineClass=["action_required", "soft"])],
        [case(Stage="waiting_for_customer", DeclineClass=["hard"])],
    ),
    "Next action in 24 hours": (
        [case(NextActionAt=SOON)],
        [case(NextActionAt=LATER), case(NextActionAt=SOON, closed=True)],
    ),
    "Hard declines of a run": (
        [case(ProcessRunId=RUN, DeclineClass=["hard"]), case(ProcessRunId=RUN, DeclineClass=["fraud", "soft"])],
        [case(ProcessRunId=RUN, DeclineClass=["soft"]), case(ProcessRunId="run/x/2026-11", DeclineClass=["hard"])],
    ),
    "Collections of a run": (
        [case(ProcessRunId=RUN), case(ProcessRunId=RUN, closed=True)],
        [case("PaymentRunShard", ProcessRunId=RUN), case(ProcessRunId="run/x/2026-11")],
    ),
    "Everything of an account": (
        [case(AccountId=ACCOUNT), case(AccountId=ACCOUNT, closed=True)],
        [case(AccountId="x")],
    ),
    "Given up this month": (
        [case(Stage="given_up", closed=True)],
        [case(Stage="settled", closed=True), case(Stage="given_up")],
    ),
    "Runs of this month": ([case("PaymentRun"), case("BillingRun", closed=True)], [case("Collection")]),
    "Runs that stand still": (
        [case("PaymentRun", Stage="held"), case("PaymentRun", Stage="paused")],
        [case("PaymentRun", Stage="collecting"), case("PaymentRun", Stage="paused", closed=True)],
    ),
    "Disputes to answer": (
        [case("Dispute", NeedsReview=True)],
        [case("Dispute", NeedsReview=False), case("Refund", NeedsReview=True)],
    ),
    "Refunds on their way": (
        [case("Refund", Stage="pending"), case("Refund", Stage="unknown")],
        [case("Refund", Stage="refunded"), case("Refund", Stage="pending", closed=True)],
    ),
    "Rewards not paid yet": (
        [case("BackEndReduction", Stage="awarded"), case("BackEndReduction", Stage="frozen")],
        [
            case("BackEndReduction", Stage="granted"),
            case("BackEndReduction", Stage="paid"),
            case("Refund", Stage="pending"),
        ],
    ),
    "Cards that are not charged": (
        [case("CardLifecycle", Stage="blocked"), case("CardLifecycle", Stage="expired")],
        [case("CardLifecycle", Stage="active"), case("CardLifecycle", Stage="expired", closed=True)],
    ),
}


@workflow.defn(name="Broken", sandboxed=False)
class Broken:
    """A workflow with a bug."""

    @workflow.run
    async def run(self) -> None:
        """Fail its task, which is tried again until a fix is deployed."""
        raise KeyError("bug")


async def start(client: Client, wanted: Case, prefix: str) -> str:
    """Start a workflow that nobody works on: what is found depends on its type, attributes and status alone."""
    type_, attributes, closed = wanted
    handle = await client.start_workflow(
        type_,
        id=f"{prefix}{next(NUMBERS)}",
        task_queue="nobody",
        search_attributes=TypedSearchAttributes([SearchAttributePair(*pair) for pair in attributes.items()]),
    )
    if closed:
        await handle.terminate()
    return handle.id


async def found(client: Client, query: str, prefix: str) -> set[str]:
    return {one.id async for one in client.list_workflows(f'({query}) AND WorkflowId STARTS_WITH "{prefix}"')}


async def settled(client: Client, prefix: str, count: int, closed: int) -> None:
    """Wait until visibility, which follows behind, has all that was done."""

    async def is_there() -> bool:
        listed = [one async for one in client.list_workflows(f'WorkflowId STARTS_WITH "{prefix}"')]
        return len(listed) == count and sum(one.close_time is not None for one in listed) == closed

    await until(is_there)


@pytest.mark.parametrize("view", [view for view in VIEWS if view.name in CASES], ids=lambda view: str(view.name))
async def test_a_view_finds_what_it_is_for_and_nothing_else(temporal_server: Client, view: Any) -> None:
    matching, others = CASES[view.name]
    prefix = f"views/{view.name}/"

    wanted = {await start(temporal_server, one, prefix) for one in matching}
    for one in others:
        await start(temporal_server, one, prefix)
    await settled(temporal_server, prefix, len(matching + others), sum(one[2] for one in matching + others))

    assert await found(temporal_server, query_of(view, VALUES), prefix) == wanted


def test_what_views_ask_for_and_are_tried_on_is_what_the_workflows_show_of_themselves() -> None:
    types = {_Definition.must_from_class(workflow).name for workflow in WORKFLOWS}
    tried = [one for cases in CASES.values() for one in (*cases[0], *cases[1])]
    staged = [(type_, attributes[visibility.STAGE]) for type_, attributes, _ in tried if visibility.STAGE in attributes]
    classes = [name for _, attributes, _ in tried for name in attributes.get(visibility.DECLINE_CLASS, ())]

    assert {type_ for type_, _, _ in tried} <= types
    assert [(type_, stage) for type_, stage in staged if stage not in STAGES[type_]] == []
    assert set(classes) <= set(DeclineClass)
    for view in VIEWS:
        asked = re.findall(r'WorkflowType (?:!?=) "(\w+)"', view.query)
        possible = STAGES.get(asked[0], set()) if asked and "!=" not in view.query else EVERY_STAGE
        assert set(asked) <= types
        assert in_query("Stage", view.query) <= possible
        assert in_query("DeclineClass", view.query) <= set(DeclineClass)


def in_query(attribute: str, query: str) -> set[str]:
    """Return the values that a query names for an attribute."""
    named = re.findall(rf'\b{attribute} (?:=|(?:NOT )?IN) (?:\(([^)]*)\)|"(\w+)")', query)
    return {value for many, one in named for value in (re.findall(r"\w+", many) if many else [one])}


@pytest.mark.nightly
@pytest.mark.slow
async def test_a_workflow_with_a_bug_is_found(temporal_server: Client) -> None:
    (view,) = [view for view in VIEWS if view.name not in CASES]
    prefix = "views/problems/"
    handle = await temporal_server.start_workflow("Broken", id=f"{prefix}1", task_queue="broken")
    await start(temporal_server, case(), prefix)

    async def is_found() -> bool:
        return await found(temporal_server, query_of(view, VALUES), prefix) == {handle.id}

    async with Worker(temporal_server, task_queue="broken", workflows=[Broken]):
        await until(is_found)
        await handle.terminate()

    assert view.name == "Workflow task problems"


def test_moments_are_those_of_the_asking() -> None:
    values = filled_in(datetime(2026, 11, 23, 12, 30, tzinfo=UTC))

    assert [values[moment] for moment in MOMENTS] == [
        "2026-11-23T11:30:00Z",
        "2026-11-24T12:30:00Z",
        "2026-11-01T00:00:00Z",
    ]


def test_a_link_carries_the_query_and_the_name_it_is_saved_under() -> None:
    view = next(view for view in VIEWS if view.name == "In dunning")

    link = urlsplit(link_of(view, view.query, ui_url="http://ui.example/", namespace="default"))

    assert link.path == "/namespaces/default/workflows"
    assert parse_qs(link.query) == {"query": [view.query], "savedQuery": ["In dunning"]}


def test_an_id_that_would_change_a_query_is_refused() -> None:
    with pytest.raises(CommandError, match=r'^account: acc" OR'):
        filled_in(NOW, account='acc" OR AccountId = "x')


async def test_the_command_prints_views_of_a_run_when_it_is_named(cli: CommandLine) -> None:
    without, named = await cli.json("views"), await cli.json("views", "--run", RUN)

    assert {view["name"] for view in named["views"]} - {view["name"] for view in without["views"]} == {
        "Hard declines of a run",
        "Collections of a run",
    }
    assert all(view["link"].startswith("http://ui.example/namespaces/default/") for view in named["views"])


async def test_one_page_has_a_link_to_every_view(cli: CommandLine, tmp_path: Path) -> None:
    page = tmp_path / "views.html"

    printed = await cli.json("views", "--run", RUN, "--account", ACCOUNT, "--page", str(page))
    links = lxml.html.fromstring(page.read_text()).xpath("//a/@href")

    assert links == [view["link"] for view in printed["views"]]
    assert len(links) == len(VIEWS)


async def test_a_page_that_cannot_be_written_is_refused(cli: CommandLine, tmp_path: Path) -> None:
    refused = await cli("views", "--page", str(tmp_path / "none" / "views.html"), "--json")

    assert refused.rules == [("page", "file_can_be_written")]


async def test_the_command_refuses_an_id_that_no_query_can_carry(cli: CommandLine) -> None:
    result = await cli("views", "--run", 'run" OR')

    assert result.exit_code == 1
    assert "run" in result.stderr


def test_the_runbook_has_every_view() -> None:
    rows = view_rows()

    assert [line for line in (ROOT / "docs" / "operations.md").read_text().splitlines() if line in rows] == rows
