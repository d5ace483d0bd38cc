"""A revision that needs a table that is in use gives way, also behind an index for which migrate had time."""

import asyncio
import shutil
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from migrations import run, source
from tests.ledger.books import plain_url

INDEX_THEN_COLUMN = """
from alembic import op
from migrations.indices import build_beside_writers
revision, down_revision = "{revision}", "{head}"
def upgrade():
    build_beside_writers({{"messages_of_next": "duly.messages (kind)"}})
    op.execute("alter table duly.collections add column next text")
"""


async def test_a_revision_behind_an_index_gives_way_as_soon_as_any_other(
    owner_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(
        source.FOLDER, tmp_path / "migrations", ignore=shutil.ignore_patterns("functions", "__pycache__")
    )
    (folder / "versions" / "next.py").write_text(INDEX_THEN_COLUMN.format(revision="next", head=run.head()))
    options = run.CONNECT["options"].replace(f"lock_timeout={run.LOCK_TIMEOUT}", "lock_timeout=100ms")
    monkeypatch.setattr(run, "CONNECT", {**run.CONNECT, "options": options})
    monkeypatch.setattr(run, "FOLDER", folder)

    async with await psycopg.AsyncConnection.connect(plain_url(owner_database_url)) as reader:
        # The index waits for every snapshot that is older than it; a lock is kept without one.
        await reader.execute("lock table duly.collections in access share mode")
        async with asyncio.timeout(60):
            with pytest.raises(DBAPIError, match="lock timeout"):
                await asyncio.to_thread(run.migrate, owner_database_url)

    assert (await asyncio.to_thread(run.migrate, owner_database_url)).after == "next"
