"""Writing the tables that the ledger works by, and the rules of what is done by itself."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from activities.configuration.document import DefinitionsDocument, PaymentMethod
from activities.configuration.document_parts.ledger_document import InternalAccount, TransactionType
from activities.configuration.document_parts.rules_document import ReminderRule
from activities.configuration.saved_rows import PartChange, save, together, upsert
from activities.configuration.sql import (
    ADD_METHOD,
    ADD_SERIES,
    ALLOW_METHOD,
    CONFIGURATION_USER,
    DISALLOW_METHOD,
    NUMBER_TYPE,
    OPEN_INTERNAL_ACCOUNT,
    SET_ACCOUNT_STATE,
    TAKE_AWAY,
)
from models.ledger.account import AccountKind, AccountState
from models.ledger.number_series import GAP_FREE_BY_DEFAULT
from models.problem import Problem, RefusedError
from models.tables.accounts import AccountRow
from models.tables.configuration import CardNetworkRow
from models.tables.messages import ReminderRulesRow
from models.tables.reference import (
    DueDateRuleRow,
    PaymentMethodRow,
    ProductRow,
    StatementLayoutRow,
    TaxRateRow,
    TransactionReasonRow,
    TransactionTypeRow,
)

# Money is paid and given back by a new method: the types of both allow it, where a document does not say otherwise.
ALLOWING = ("payment", "payment_kept", "refund", "refund_returned")
_Retired = TaxRateRow | ProductRow | PaymentMethodRow | TransactionTypeRow | TransactionReasonRow | DueDateRuleRow
# What is retired, since what was posted names it.
_RETIRED: Mapping[str, type[_Retired]] = {
    "tax_rates": TaxRateRow,
    "products": ProductRow,
    "payment_methods": PaymentMethodRow,
    "transaction_types": TransactionTypeRow,
    "transaction_reasons": TransactionReasonRow,
    "due_date_rules": DueDateRuleRow,
}
_DELETED: Mapping[str, InstrumentedAttribute[str]] = {
    "card_networks": CardNetworkRow.brand,
    "reminder_rules": ReminderRulesRow.segment,
    "statement_layouts": StatementLayoutRow.id,
}


class LedgerWriting:
    """The ledger's part of one document on its way into one commit."""

    def __init__(self, connection: AsyncConnection, document: DefinitionsDocument) -> None:
        self._connection = connection
        self._document = document

    async def method(self, method: PaymentMethod) -> PartChange:
        """Write a payment method, and allow it where money is paid and given back, or do not any more."""
        row = PaymentMethodRow
        was_active = (await self._connection.execute(select(row.is_active).where(row.id == method.id))).scalar()
        change = await upsert(self._connection, ADD_METHOD, method.model_dump())
        if bool(was_active) is not method.active:
            await self._allow(method.id, is_allowed=method.active)
        return change

    async def _allow(self, method_id: str, *, is_allowed: bool) -> None:
        named = {type.id for type in self._document.transaction_types if type.payment_methods is not None}
        values = {"id": method_id, "types": [type for type in ALLOWING if type not in named]}
        await self._connection.execute(text(ALLOW_METHOD if is_allowed else DISALLOW_METHOD), values)

    async def type(self, type: TransactionType) -> PartChange:
        """Write a transaction type, and the series that numbers it. The default that it takes over from loses it."""
        row, given = TransactionTypeRow, type.stored()
        stored = (await self._connection.execute(select(row.classification).where(row.id == type.id))).scalar()
        classification = stored or type.classification
        if type.default:
            others = (row.classification == classification, row.is_default, row.id != type.id)
            await self._connection.execute(update(row).where(*others).values(is_default=False))
        if type.active is False:
            given["is_default"] = False
        changes = [await save(self._connection, row, {"id": type.id}, given)]
        if type.prefix is not None:
            series = {**type.model_dump(include={"id", "prefix", "per_year", "gap_free"})}
            series["gap_free_by_default"] = sorted(GAP_FREE_BY_DEFAULT)
            await self._connection.execute(text(ADD_SERIES), series)
            numbered = type.model_dump(include={"id", "prefix", "per_year"})
            changes.append(await upsert(self._connection, NUMBER_TYPE, numbered))
        return together(changes)

    async def account(self, account: InternalAccount) -> PartChange:
        """Open an account of the company's own, or change its name and whether it is in use."""
        row, state = AccountRow, AccountState.ACTIVE if account.active else AccountState.TERMINATED
        stored = (await self._connection.execute(select(row.owner_name, row.state).where(row.id == account.id))).first()
        if stored is None:
            opening = {"id": account.id, "currency": account.currency, "name": account.name}
            await self._connection.execute(text(OPEN_INTERNAL_ACCOUNT), opening)
        elif stored.owner_name != account.name:
            await self._connection.execute(update(row).where(row.id == account.id).values(owner_name=account.name))
        if state != (stored.state if stored else AccountState.ACTIVE):
            await self._connection.execute(text(SET_ACCOUNT_STATE), {"id": account.id, "state": state})
        if stored is None:
            return PartChange.CREATED
        is_same = (stored.owner_name, stored.state) == (account.name, state)
        return PartChange.UNCHANGED if is_same else PartChange.UPDATED

    async def reminder_rule(self, rule: ReminderRule) -> PartChange:
        """Write a new version of a segment's reminders, if it differs from the newest."""
        row = ReminderRulesRow
        wanted = (list(rule.days_before), list(rule.days_after), rule.reminds_card_payers)
        newest = (
            await self._connection.execute(
                select(row.days_before, row.days_after, row.reminds_card_payers, row.version)
                .where(row.segment == rule.segment)
                .order_by(row.version.desc())
                .limit(1)
            )
        ).first()
        if newest is not None and tuple(newest)[:3] == wanted:
            return PartChange.UNCHANGED
        names = ("days_before", "days_after", "reminds_card_payers")
        key = {"segment": rule.segment, "version": newest.version + 1 if newest else 1}
        await save(self._connection, row, key, dict(zip(names, wanted, strict=True)))
        return PartChange.UPDATED if newest else PartChange.CREATED

    async def take_away(self, kind: str, named: Sequence[str]) -> list[tuple[str, PartChange]]:
        """Take away what a table has and the document no longer names; return each with what became of it.

        Raises RefusedError when something else is made from it.
        """
        gone = [id for id in await self._ids(kind) if id not in named]
        for id in gone:
            used_by = (await self._connection.execute(text(CONFIGURATION_USER), {"kind": kind, "id": id})).scalar_one()
            if used_by is not None:
                problem = f"is no longer named, and is used by {used_by}"
                raise RefusedError([Problem(f"{kind}.{id or 'all segments'}", "part_in_use", problem)])
            await self._take_away(kind, id)
        return [(id, PartChange.DELETED if kind in _DELETED else PartChange.UPDATED) for id in gone]

    async def _ids(self, kind: str) -> list[str]:
        if kind in _DELETED:
            column = _DELETED[kind]
            query = select(column).distinct().order_by(column)
        elif kind in _RETIRED:
            table = _RETIRED[kind]
            query = select(table.id).where(table.is_active).order_by(table.id)
        else:
            is_own = (AccountRow.kind == AccountKind.INTERNAL, AccountRow.state != AccountState.TERMINATED)
            query = select(AccountRow.id).where(*is_own).order_by(AccountRow.id)
        return list((await self._connection.execute(query)).scalars())

    async def _take_away(self, kind: str, id: str) -> None:
        if kind in _DELETED:
            await self._connection.execute(text(TAKE_AWAY), {"kind": kind, "id": id})
        elif kind in _RETIRED:
            table = _RETIRED[kind]
            retired = {"is_active": False, **({"is_default": False} if kind == "transaction_types" else {})}
            await self._connection.execute(update(table).where(table.id == id).values(**retired))
            if kind == "payment_methods":
                await self._allow(id, is_allowed=False)
        else:
            terminated = {"id": id, "state": AccountState.TERMINATED}
            await self._connection.execute(text(SET_ACCOUNT_STATE), terminated)
