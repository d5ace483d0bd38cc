"""Many open objects are compared a page at a time: one question, one note of what was stopped, one of what goes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError

from activities.database import Database, create_engine
from activities.supervision import supervision
from activities.supervision.running import running_among
from activities.supervision.supervision import Progress, Resumable, Supervision
from models.collections.collection import CollectionRequest
from models.supervision.supervision import ObjectKind, OpenObject, Supervised, SupervisionRequest
from models.workflow_ids import WORKFLOW_QUEUE, collection_id
from tests.supervision.scenario import NOTHING, seen_as_running
from tests.support.builders import Merchant
from workflows.supervision.resumption import resumable_of

UNKNOWN_ATTRIBUTE = SearchAttributeKey.for_keyword("NobodyHasRegisteredThis")


class CountingDatabase(Database):
    """A database that counts how often a connection is lent."""

    lent = 0

    @asynccontextmanager
    async def connection(self, timeout_seconds: float | None = None) -> AsyncIterator[AsyncConnection]:
        """Lend a connection, and count it."""
        self.lent += 1
        async with super().connection(timeout_seconds) as connection:
            yield connection


@pytest.fixture
async def counting(database_url: str) -> AsyncIterator[CountingDatabase]:
    """The test's database, whose calls are counted."""
    database = CountingDatabase(create_engine(database_url, pool=1))
    yield database
    await database.dispose()


async def open_collections(merchant: Merchant, database: Database, period: str, number: int) -> list[str]:
    """Open so many collections whose workflows no server knows; return the workflows' ids."""
    accounts = [await merchant.account(f"acc-{period}-{n:02d}", owes_minor=2500) for n in range(number)]
    for account in accounts:
        await database.call(
            "open_collection",
            account_id=account,
            period=period,
            provider_id="stripe",
            run_id="",
            invoices=[],
            owner="on-the-lost-server",
        )
    return [collection_id(account, period) for account in accounts]


async def compared(database: Database, client: Client, resumable: object = resumable_of) -> Supervised:
    supervision = Supervision(database, client, resumable, young=NOTHING, left_alone=NOTHING)  # type: ignore[arg-type]
    begun = Progress((), Supervised(ObjectKind.COLLECTION))
    return await supervision.compare(ObjectKind.COLLECTION, SupervisionRequest(), begun=begun, beat=lambda _: None)


async def test_a_page_that_has_lost_its_workflows_is_noted_and_resumed_with_as_many_calls_as_one_object(
    temporal_server: Client, merchant: Merchant, database: Database, counting: CountingDatabase, period: str
) -> None:
    ids = await open_collections(merchant, database, period, 7)

    lost = await compared(counting, temporal_server)
    await seen_as_running(temporal_server, ids, 7)
    at_work = await compared(counting, temporal_server)

    stops = await merchant.run("select how, resumed_at is not null as goes_on from duly.workflow_stops")
    assert (lost.open, lost.resumed, at_work.running) == (7, 7, 7)
    assert [(stop.how, stop.goes_on) for stop in stops] == [("missing", True)] * 7
    # A page and the end, twice; the stops and the resumptions, once.
    assert counting.lent == 2 + 2 + 2


async def test_what_has_lost_its_workflow_is_resumed_on_whichever_page_it_is(
    temporal_server: Client, merchant: Merchant, database: Database, period: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "PAGE", 2)
    await open_collections(merchant, database, period, 5)

    lost = await compared(database, temporal_server)

    assert (lost.open, lost.resumed) == (5, 5)


async def test_of_a_page_only_what_has_lost_its_workflow_is_resumed(
    temporal_server: Client, merchant: Merchant, database: Database, period: str
) -> None:
    ids = await open_collections(merchant, database, period, 5)
    await compared(database, temporal_server)
    await seen_as_running(temporal_server, ids, 5)
    await temporal_server.get_workflow_handle(ids[3]).terminate(reason="it hangs")
    await seen_as_running(temporal_server, ids, 4)

    found = await compared(database, temporal_server)

    assert (found.open, found.running, found.resumed) == (5, 4, 1)
    assert [(one.workflow_id, one.how) for one in found.stopped] == [(ids[3], "terminated")]


async def test_what_was_started_is_noted_though_a_later_start_fails_and_the_repeat_starts_the_rest(
    temporal_server: Client, merchant: Merchant, database: Database, period: str
) -> None:
    ids = await open_collections(merchant, database, period, 3)

    def refused_once(one: OpenObject) -> Resumable:
        found = resumable_of(one)
        attributes = TypedSearchAttributes([SearchAttributePair(UNKNOWN_ATTRIBUTE, "x")])
        return (
            replace(found, start=replace(found.start, search_attributes=attributes))
            if found.workflow_id == ids[1]
            else found
        )

    with pytest.raises(RPCError, match="NobodyHasRegisteredThis"):
        await compared(database, temporal_server, refused_once)
    halfway = await merchant.run("select workflow_id from duly.workflow_stops where resumed_at is null")
    await seen_as_running(temporal_server, ids, 2)
    repeated = await compared(database, temporal_server)

    assert [stop.workflow_id for stop in halfway] == [ids[1]]
    assert (repeated.running, repeated.resumed) == (2, 1)
    assert await merchant.value("select count(*) from duly.workflow_stops where resumed_at is null") == 0


async def test_an_id_that_no_query_can_name_is_asked_for_by_itself(temporal_server: Client, period: str) -> None:
    plain, quoted = f"collection/o-hara/{period}", f"collection/o'hara/{period}"
    for id in (plain, quoted):
        await temporal_server.start_workflow(
            "Collection",
            CollectionRequest("acc", period, "stripe"),
            id=id,
            task_queue=f"{WORKFLOW_QUEUE}-{period}",
        )
    await seen_as_running(temporal_server, [plain], 1)

    assert await running_among(temporal_server, [plain, quoted]) == {plain}
