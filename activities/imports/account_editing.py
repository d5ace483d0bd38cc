"""Making and editing one account by hand, under the rules of the import."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from psycopg.types.json import Jsonb

from activities.database import Database
from activities.imports.account_sql import STORED_ACCOUNTS
from models.imports.columns import ACCOUNTS, COLUMNS
from models.imports.rows import ImportedAccount, ImportReference, read_account
from models.money import Money
from models.problem import refusal
from models.tables.accounts import AccountRow

# The fields of an account, as the row of an import calls them and as the columns of its file are named.
COLUMN_OF_FIELD: Mapping[str, str] = {"credit_limit_minor": "credit_limit", "due_date_rule_id": "due_date_rule"}
# What no edit changes, and what is of the import's own.
FIXED = frozenset({"account_id", "currency", "kept"})
CLEARABLE = frozenset({column.name for column in COLUMNS[ACCOUNTS] if column.default is not None})


class AccountEditing:
    """Makes and edits accounts; every change is kept with who and why."""

    def __init__(self, database: Database, reference: ImportReference) -> None:
        self._database = database
        self._reference = reference

    async def create(self, given: Mapping[str, str], *, actor: str, reason: str) -> bool:
        """Make an account of cells, as a row of the import has them; False when the same is there already."""
        wanted = self._read(given)
        fields = {name: value for name, value in asdict(wanted).items() if name not in {"account_id", "kept"}}
        is_new = await self._database.call(
            "create_account", account_id=wanted.account_id, account=Jsonb(fields), actor=actor, reason=reason
        )
        if not is_new and await self._stored(wanted.account_id) != wanted:
            raise refusal("account", "id_means_one_account", f"{wanted.account_id!r} is another account: edit it")
        return bool(is_new)

    async def edit(
        self,
        account_id: str,
        given: Mapping[str, str],
        clear: frozenset[str],
        *,
        actor: str,
        reason: str,
        expected: Mapping[str, str] | None = None,
    ) -> bool:
        """Change what is given and clear what is named; False when it is so already. Raises RefusedError.

        `expected` are the fields as whoever asks has seen them: what another has changed since is not written over.
        """
        if unknown := sorted(clear - CLEARABLE):
            raise refusal("clear", "field_may_be_empty", f"{unknown[0]} cannot be cleared")
        if both := sorted(clear & given.keys()):
            raise refusal("clear", "given_or_cleared", f"{both[0]} is both given and cleared")
        if not given and not clear:
            raise refusal("edit", "something_changes", "say what is to change")
        before = await self._stored(account_id)
        if before is None:
            raise refusal("account", "account_exists", f"there is no account {account_id!r}")
        cells = _cells(before)
        if expected is not None and (lost := [one for one in (*given, *clear) if cells.get(one, "") != expected[one]]):
            what = f"{cells.get(lost[0]) or 'empty'!s} since somebody has changed it: open the form again"
            raise refusal(lost[0], "field_is_as_seen", f"is {what}")
        kept = {name: value for name, value in cells.items() if name not in clear}
        wanted = self._read({**kept, **given})
        fields = {name: value for name, value in asdict(wanted).items() if name not in FIXED}
        return bool(
            await self._database.call(
                "edit_account", account_id=account_id, fields=Jsonb(fields), actor=actor, reason=reason
            )
        )

    def _read(self, given: Mapping[str, str]) -> ImportedAccount:
        cells = {column.name: given.get(column.name) or column.default or "" for column in COLUMNS[ACCOUNTS]}
        return read_account(cells, self._reference)

    async def _stored(self, account_id: str) -> ImportedAccount | None:
        return await _stored_account(self._database, account_id)


async def stored_cells(database: Database, account_id: str) -> dict[str, str] | None:
    """Return the fields of an account as cells of a row of the import; None where there is no account."""
    found = await _stored_account(database, account_id)
    return _cells(found) if found else None


async def _stored_account(database: Database, account_id: str) -> ImportedAccount | None:
    row = await database.read_first(STORED_ACCOUNTS.where(AccountRow.id == account_id))
    return ImportedAccount(*tuple(row)[2:]) if row else None


def _cells(account: ImportedAccount) -> dict[str, str]:
    """Return an account as the cells of a row."""
    values: dict[str, Any] = {name: value for name, value in asdict(account).items() if name != "kept"}
    limit = values["credit_limit_minor"]
    if limit is not None:
        values["credit_limit_minor"] = Money(limit, account.currency).to_decimal()
    cells = {COLUMN_OF_FIELD.get(name, name): value for name, value in values.items()}
    return {name: str(value) for name, value in cells.items() if value is not None}
