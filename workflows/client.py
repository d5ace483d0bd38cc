"""Connecting to Temporal, the same way for every process."""

from temporalio.client import Client
from temporalio.service import GrpcCompression

from workflows.plugin import DULY_PLUGIN


async def connect(address: str, *, namespace: str, tls: bool = False, api_key: str | None = None) -> Client:
    """Connect with Duly's converter. An API key implies TLS. Raises RuntimeError when nobody answers."""
    return await Client.connect(
        address,
        namespace=namespace,
        tls=tls or api_key is not None,
        api_key=api_key,
        plugins=[DULY_PLUGIN],
        # Our messages are a few hundred bytes: packing them costs both sides more than sending them.
        grpc_compression=GrpcCompression.NONE,
    )
