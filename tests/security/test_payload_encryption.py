"""With keys, Temporal's server stores nothing that can be read; without, or by an older key, histories go on."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from activities.payload_codec import EncryptionCodec, PayloadKeyError
from activities.supervision.stops import who_ended
from models.collections.collection import Stage
from sandbox.servers.temporal import running_temporal
from settings import Settings
from tests.contract.foreign import Marked
from tests.support.builders import Merchant
from tests.support.run_control import duly_at
from workflows.client import connect
from workflows.namespace import register_attributes
from workflows.plugin import DULY_PLUGIN, encrypting
from workflows.registered import WORKFLOWS

OLD, NEW = {"2026-05": b"o" * 32}, {"2026-11": b"n" * 32}
ROTATED = {**NEW, **OLD}
QUEUE = "encryption"


class Server:
    """A server with a database file, and connections to it under different keys."""

    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self.folder = folder

    async def connect(self, keys: Mapping[str, bytes]) -> Client:
        # As a workflow of ours starts another: which providers there are is not asked.
        return await connect(self.address, namespace="default", payload_keys=keys, interceptors=[Marked()])

    @asynccontextmanager
    async def working(self, keys: Mapping[str, bytes]) -> AsyncIterator[Client]:
        """Run workflows under some keys. Nothing is kept at hand: each task reads its history."""
        client = await self.connect(keys)
        async with Worker(client, task_queue=QUEUE, workflows=WORKFLOWS, max_cached_workflows=0):
            yield client

    def stores(self, text: str) -> bool:
        """Say whether a text can be read in the server's files."""
        return any(text.encode() in file.read_bytes() for file in self.folder.glob("temporal.db*"))


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("encryption")
    file = folder / "temporal.db"
    async with running_temporal(log=folder / "log", database=file, ui=False) as running:
        _ = await register_attributes(await connect(running.address, namespace="default"))
        yield Server(running.address, folder)


async def waiting_collection(client: Client, reason: str) -> WorkflowHandle[Any, Any]:
    """Start a collection, which waits for its first activity, and skip its attempt: the reason is in its history."""
    account = f"acc_{uuid4().hex}"
    handle = await client.start_workflow(
        "Collection", {"account_id": account, "period": "2026-11"}, id=f"collection/{account}/2026-11", task_queue=QUEUE
    )
    await handle.signal("receivable_changed")
    await handle.cancel(reason="")
    _ = await handle.query("status")
    refused = await client.start_workflow(
        "Refund", {"refund_id": reason, "provider": "Nobody's"}, id=f"refund/{uuid4().hex}", task_queue=QUEUE
    )
    with pytest.raises(WorkflowFailureError):
        await refused.result()
    return handle


async def test_nothing_that_is_sent_or_answered_or_fails_can_be_read_in_the_servers_database(server: Server) -> None:
    readable, secret = f"readable{uuid4().hex[:8]}", f"secret{uuid4().hex[:8]}"
    async with server.working({}) as client:
        await waiting_collection(client, readable)
    async with server.working(NEW) as client:
        await waiting_collection(client, secret)
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow(
                "Refund",
                {"refund_id": f"1{secret}", "provider": "stripe"},
                id=f"refund/{uuid4().hex}",
                task_queue=QUEUE,
            )

    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert f"'1{secret}' is not a lower-case letter" in cause.message
    assert server.stores(readable)
    assert not server.stores(secret)


@pytest.mark.nightly
async def test_a_history_goes_on_after_the_key_was_changed_and_after_the_codec_was_switched_on(server: Server) -> None:
    async with server.working({}) as client:
        before = await waiting_collection(client, "before")
    async with server.working(OLD) as client:
        under_old = await waiting_collection(client, "old")

    async with server.working(ROTATED) as client:
        answered = [await client.get_workflow_handle(one.id).query("status") for one in (before, under_old)]
        histories = [await client.get_workflow_handle(one.id).fetch_history() for one in (before, under_old)]

    assert [answer["attempt"] for answer in answered] == [0, 0]
    replayer = Replayer(workflows=WORKFLOWS, plugins=[DULY_PLUGIN, *encrypting(ROTATED)])
    for history in histories:
        await replayer.replay_workflow(history)


async def test_a_receivable_is_collected_with_everything_encrypted(
    server: Server, database: Database, gateway: StripeGateway, settings: Settings, merchant: Merchant
) -> None:
    account = await merchant.account(owes_minor=2500)
    environment = WorkflowEnvironment.from_client(await server.connect(NEW))

    async with duly_at(environment, database, gateway, settings) as duly:
        handle = await duly.start_collection(account)
        result = await handle.result()

    assert (result.stage, result.amount_minor) == (Stage.SETTLED, 2500)
    assert await merchant.balance(account) == 0
    assert not server.stores('"amount_minor":2500')


async def test_why_a_workflow_failed_is_known_though_its_message_is_encrypted(server: Server) -> None:
    async with server.working(NEW) as client:
        handle = await client.start_workflow(
            "Refund", {"refund_id": "1x", "provider": "stripe"}, id=f"refund/{uuid4().hex}", task_queue=QUEUE
        )
        with pytest.raises(WorkflowFailureError):
            await handle.result()

        who = await who_ended(client, handle.id, str(handle.first_execution_run_id))

    assert "'1x' is not a lower-case letter" in who.reason


async def test_a_key_that_is_not_configured_is_named_and_opens_nothing(server: Server) -> None:
    (sealed,) = await EncryptionCodec(OLD).encode([Payload(data=b"content")])

    with pytest.raises(PayloadKeyError, match="'2026-05', which DULY_PAYLOAD_KEYS does not have") as refused:
        await EncryptionCodec(NEW).decode([sealed])
    assert "content" not in str(refused.value)


async def test_a_payload_that_was_changed_is_not_opened() -> None:
    codec = EncryptionCodec(NEW)
    (sealed,) = await codec.encode([Payload(data=b"content")])

    for changed in (sealed.data[:-1] + bytes([sealed.data[-1] ^ 1]), sealed.data[:20], b""):
        sealed.data = changed
        with pytest.raises(PayloadKeyError, match="is not as the key"):
            await codec.decode([sealed])


async def test_the_same_content_is_never_encrypted_to_the_same_bytes() -> None:
    codec = EncryptionCodec(NEW)
    sealed = await codec.encode([Payload(data=b"content")] * 50)

    assert len({payload.data for payload in sealed}) == 50
    assert [payload.data for payload in await codec.decode(sealed)] == [b"content"] * 50


async def test_the_words_of_a_failure_and_of_all_its_causes_are_moved_to_where_they_are_encrypted() -> None:
    config: dict[str, Any] = {"data_converter": DataConverter.default}
    for plugin in (DULY_PLUGIN, *encrypting(NEW)):
        config = dict(plugin.configure_client(config))  # type: ignore[arg-type]  # of all that a client has
    converter: DataConverter = config["data_converter"]
    failure = Failure()
    try:
        try:
            raise ValueError("inner words")
        except ValueError as error:
            raise ApplicationError("outer words", "details", type="rule", non_retryable=True) from error
    except ApplicationError as error:
        await converter.encode_failure(error, failure)

    text = failure.SerializeToString()
    read = await converter.decode_failure(failure)
    assert [words for words in (b"inner words", b"outer words", b"details", b"raise ValueError") if words in text] == []
    assert (str(read), str(read.__cause__)) == ("rule: outer words", "ValueError: inner words")


def test_nothing_is_encrypted_without_keys() -> None:
    assert encrypting({}) == []
