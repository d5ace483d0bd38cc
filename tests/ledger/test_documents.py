"""docs/ledger.md shows what the ledger does."""

from pathlib import Path

import psycopg

from docs.examples.ledger import tables
from models.ledger.refusals import ERRORS
from tests.ledger.books import plain_url
from tests.ledger.oracle.life_cycle import NUMBER_PREFIXES
from tests.ledger.oracle.transfers import LedgerAccountKind

PAGE = (Path(__file__).parent.parent.parent / "docs" / "ledger.md").read_text(encoding="utf-8")


def test_the_transfers_of_each_event_are_those_that_the_page_shows(owner_database_url: str) -> None:
    with psycopg.connect(plain_url(owner_database_url), autocommit=True) as connection:
        played = tables(connection)

    shown = PAGE.partition("<!-- tables -->\n")[2].partition("\n<!-- /tables -->")[0]
    assert shown == played


def test_the_page_names_every_kind_of_ledger_account_prefix_and_refusal() -> None:
    kinds = [kind for kind in LedgerAccountKind if f"`{kind}" not in PAGE]

    assert kinds == []
    assert [prefix for prefix in NUMBER_PREFIXES.values() if f"| {prefix} |" not in PAGE] == []
    assert [state for state in ERRORS if f"| {state} |" not in PAGE] == []
