"""A project whose payloads in Temporal are encrypted, and what the codec server of its compose file opens."""

from base64 import b64encode

import httpx
from google.protobuf.json_format import MessageToJson
from temporalio.api.common.v1 import Payloads
from temporalio.client import Client

from tests.compose.containers.engine import Engine
from tests.compose.project import Project

TOKEN = "a-token-of-the-tests-that-nobody-else-has"


def encrypt_payloads(project: Project) -> None:
    """Fill in what docs/security.md names: the one as a file, the other as a line of `.env`."""
    project.set_secret("payload_keys", f"2026-11:{b64encode(b'k' * 32).decode()}")
    project.set_variable("DULY_CODEC_TOKENS", f"maria:{TOKEN}")


async def opened_input(engine: Engine, workflow_id: str) -> tuple[bytes, str]:
    """Return a workflow's input as Temporal has it, and as the codec server shows it."""
    client = await Client.connect(f"{engine.address('temporal')}:7233")
    started = (await client.get_workflow_handle(workflow_id).fetch_history()).events[0]
    stored: Payloads = started.workflow_execution_started_event_attributes.input
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        answer = await http.post(f"http://{engine.address('codec')}:8081/decode", content=MessageToJson(stored))
    return stored.payloads[0].data, answer.raise_for_status().text
