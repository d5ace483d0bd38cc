"""What must be seen nowhere but in the database and at the gateway, and the places where it is looked for."""

import base64
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from models.card_number import holds_card_number
from sandbox.demo.demo import Demo


async def secrets_of(demo: Demo) -> set[str]:
    """Collect everything that must not be seen: who the customers are, and what opens a door or charges a card."""
    engine = create_async_engine(demo.stack.settings.database_url)
    async with engine.connect() as connection:
        people = await connection.execute(text("select owner_name, email from duly.accounts where kind = 'customer'"))
        cards = await connection.execute(text("select token from duly.cards"))
        found = {value for row in (*people, *cards) for value in row}
    await engine.dispose()
    return found | _keys(demo)


def _keys(demo: Demo) -> set[str]:
    settings = demo.stack.settings
    keys = {settings.stripe_api_key, *settings.stripe_webhook_secrets}
    urls = (settings.database_url, settings.owner_database_url)
    return {key.get_secret_value() for key in keys} | {unquote(urlsplit(url).password or "") for url in urls} - {""}


def logs_of(demo: Demo) -> dict[str, str]:
    """Return every log of a demo by its name."""
    return {path.name: path.read_text(errors="replace") for path in demo.stack.folder.logs.iterdir()}


async def histories_of(demo: Demo) -> dict[str, str]:
    """Return the texts of every workflow's history, payloads decoded."""
    found = {}
    async for execution in demo.client.list_workflows():
        handle = demo.client.get_workflow_handle(execution.id, run_id=execution.run_id)
        history = (await handle.fetch_history()).to_json_dict()
        found[f"{execution.id} {execution.run_id}"] = "\n".join(_texts(history))
    return found


# Where the database may say who a customer is, and what charges their card.
# An event names the objects that it is about by their ids, a saved card among them.
_PLACES = {
    "accounts": {"owner_name", "email"},
    "cards": {"token"},
    # To whom a posted document was made out is kept with it, as the law wants.
    "documents": {"facts"},
    "gateway_attempts": {"token"},
    "gateway_events": {"mentions", "object_id"},
    # A PostgreSQL cluster's identifier has 19 digits, and one in ten passes for a card number.
    "installation": {"server_line", "compared_server"},
}

_RANDOM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32,}")


async def tables_of(demo: Demo) -> dict[str, str]:
    """Return the texts of every table, but for the columns that are there to hold them."""
    engine = create_async_engine(demo.stack.settings.database_url)
    async with engine.connect() as connection:
        names = await connection.execute(text("select tablename from pg_tables where schemaname = 'duly'"))
        found = {name: await _rows(connection, name) for (name,) in names}
    await engine.dispose()
    return found


async def _rows(connection: AsyncConnection, table: str) -> str:
    rows = await connection.execute(text(f"select to_jsonb(t) from duly.{table} t"))  # a table's own name
    kept = ({name: row[name] for name in row.keys() - _PLACES.get(table, set())} for (row,) in rows)
    # A digest or a random id may have any digits in a row: it says nothing of a card.
    return "\n".join(_RANDOM.sub("", line) for row in kept for line in _texts(row))


def card_numbers_in(places: dict[str, str]) -> list[str]:
    """Return every place with a text that holds what looks like a card number."""
    return sorted(
        place for place, content in places.items() if any(holds_card_number(line) for line in content.splitlines())
    )


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a history, payloads decoded."""
    if isinstance(value, dict):
        for name, inner in value.items():
            is_payload = name == "data" and isinstance(inner, str)
            yield from [base64.b64decode(inner).decode(errors="replace")] if is_payload else _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def seen(secrets: Iterable[str], places: dict[str, str]) -> list[tuple[str, str]]:
    """Return every place with a secret that is seen there."""
    return sorted((place, secret) for place, content in places.items() for secret in secrets if secret in content)
