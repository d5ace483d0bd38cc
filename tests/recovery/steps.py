"""The steps of a recovery, as tests take them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from temporalio.exceptions import ApplicationError

from activities.recovery.adoption import Adoption
from sandbox.servers.postgres import PostgresServer
from tests.recovery.conftest import Books

WHO: Any = {"actor": "maria", "reason": "the disk was lost"}


def owner_of(books: Books, server: PostgresServer) -> str:
    """The address of a restored database under the owner's role."""
    return server.owner_url(books.url.rpartition("/")[2])


async def state(books: Books) -> str:
    return str((await books.database.call("recovery_view", provider_id="stripe"))["state"])


async def declare(books: Books) -> None:
    await books.database.call("declare_restore", provider_id="stripe", moment=None, **WHO)


async def release(books: Books, *, is_acknowledged: bool = False) -> None:
    await books.database.call("release_sending", provider_id="stripe", is_acknowledged=is_acknowledged, **WHO)


async def pass_time(books: Books, owner_url: str, *, minutes: int) -> None:
    """Let the moments of a recovery be so long ago."""
    engine = create_async_engine(owner_url)
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "update duly.sending set declared_at = declared_at - cast(:by as interval), reads = coalesce((select"
                " jsonb_agg(r || jsonb_build_object('read_at', (r ->> 'read_at')::timestamptz - cast(:by as interval)))"
                " from jsonb_array_elements(reads) r), '[]')"
            ),
            {"by": timedelta(minutes=minutes)},
        )
    await engine.dispose()


async def recovered(books: Books, owner_url: str) -> dict[str, object]:
    """Go through the whole protocol; return what the first reading came to."""
    await declare(books)
    await pass_time(books, owner_url, minutes=16)
    adoption = Adoption(books.database, "stripe", books.gateway)
    first = await adoption.read()
    await pass_time(books, owner_url, minutes=11)
    await adoption.read()
    await release(books, is_acknowledged=True)
    return dict(first["reads"][0])


async def rule_of(call: object) -> str:
    with pytest.raises(ApplicationError) as refused:
        await call  # type: ignore[misc]  # any coroutine
    return str(refused.value.type)
