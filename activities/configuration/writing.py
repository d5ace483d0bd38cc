"""One document on its way into one commit: part by part, and only what is new or different."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.configuration.document import DUNNING, DefinitionsDocument, Policy, Provider
from activities.configuration.document_parts.ledger_document import as_list
from activities.configuration.document_parts.run_document import RunDefinition
from activities.configuration.ledger_writing import LedgerWriting
from activities.configuration.queries import LATEST_POLICIES
from activities.configuration.saved_rows import PartChange, save, together, upsert
from activities.configuration.sql import (
    ADD_CURRENCY,
    ADD_DEFINITION,
    ADD_POLICY,
    ADD_PRODUCT,
    ADD_PROVIDER,
    ADD_PROVIDER_METHOD,
    ADD_SELLER,
    ADD_TAX_RATE,
    ASSIGN_PROVIDER,
    KEEP_LISTS,
)
from models.tables.accounts import VoucherTypeRow, WalletLimitRow, WalletTopUpRuleRow, WalletTypeRow
from models.tables.base import Base
from models.tables.configuration import (
    ApprovalRulesRow,
    CardNetworkRow,
    CardRulesRow,
    CreditorRow,
    DunningPolicyRow,
)
from models.tables.fraud.charges import ChargeRuleRow
from models.tables.messages import AlertRulesRow, MessageRulesRow, MessageTemplateRow, SegmentRow
from models.tables.reference import DefinitionRow, DueDateRuleRow, StatementLayoutRow, TransactionReasonRow
from models.tables.returns import RefundRulesRow

Written = tuple[str, str, PartChange]


class DocumentWriting:
    """Writes a document in the order in which its parts refer to each other, and takes away what it no longer names."""

    def __init__(self, connection: AsyncConnection, document: DefinitionsDocument) -> None:
        self._connection = connection
        self._document = document
        self._ledger = LedgerWriting(connection, document)

    async def write(self) -> AsyncIterator[Written]:
        """Yield kind, id and change of each part."""
        for parts in (self._goods(), self._works(), self._rules(), self._runs(), self._taken_away()):
            async for written in parts:
                yield written

    async def _goods(self) -> AsyncIterator[Written]:
        for rate in self._document.tax_rates:
            yield "tax_rate", rate.id, await upsert(self._connection, ADD_TAX_RATE, rate.model_dump())
        for product in self._document.products:
            values = {**product.model_dump(), "ledger_account": product.account}
            yield "product", product.id, await upsert(self._connection, ADD_PRODUCT, values)
        for method in self._document.payment_methods:
            yield "payment_method", method.id, await self._ledger.method(method)

    async def _works(self) -> AsyncIterator[Written]:
        """Write what the ledger works by."""
        for type in self._document.transaction_types:
            yield "transaction_type", type.id, await self._ledger.type(type)
        for reason in self._document.transaction_reasons:
            given = {"name": reason.name, "purpose": reason.purpose, "is_active": reason.active}
            yield "transaction_reason", reason.id, await self._save(TransactionReasonRow, {"id": reason.id}, given)
        for rule in self._document.due_date_rules:
            yield "due_date_rule", rule.id, await self._save(DueDateRuleRow, {"id": rule.id}, rule.stored())
        if (ledger := self._document.ledger) is not None:
            yield "ledger", "ledger", await self._save(DefinitionRow, {"id": 1}, ledger.stored())
        for account in self._document.internal_accounts:
            yield "internal_account", account.id, await self._ledger.account(account)
        for one in self._document.wallet_transaction_types:
            yield "wallet_transaction_type", one.id, await self._save(WalletTypeRow, {"id": one.id}, one.stored())
        for limit in self._document.wallet_limits:
            key = {"currency": limit.currency}
            given = {"maximum_minor": limit.maximum_minor}
            yield "wallet_limit", limit.currency, await self._save(WalletLimitRow, key, given)
        for top_up in self._document.wallet_top_ups:
            kept = await self._save(WalletTopUpRuleRow, {"currency": top_up.currency}, top_up.stored())
            yield "wallet_top_up", top_up.currency, kept
        for kind in self._document.voucher_types:
            yield "voucher_type", kind.id, await self._save(VoucherTypeRow, {"id": kind.id}, kind.stored())

    async def _rules(self) -> AsyncIterator[Written]:
        """Write what is done by itself, and whom it names."""
        for segment in self._document.segments:
            yield "segment", segment.id, await self._save(SegmentRow, {"id": segment.id}, segment.stored())
        for template in self._document.message_templates:
            key = {"id": template.id}
            yield "message_template", template.id, await self._save(MessageTemplateRow, key, template.stored())
        for network in self._document.card_networks:
            given = {"declines_max": network.declines_max, "days": network.days}
            yield "card_network", network.brand, await self._save(CardNetworkRow, {"brand": network.brand}, given)
        for rule in self._document.charge_rules:
            yield "charge_rule", rule.id, await self._save(ChargeRuleRow, {"id": rule.id}, rule.stored())
        for reminder in self._document.reminder_rules:
            yield "reminder_rule", reminder.segment, await self._ledger.reminder_rule(reminder)
        only: Sequence[tuple[str, Any, type[Base]]] = (
            ("card_rules", self._document.card_rules, CardRulesRow),
            ("alert_rules", self._document.alert_rules, AlertRulesRow),
            ("refund_rules", self._document.refund_rules, RefundRulesRow),
            ("message_rules", self._document.message_rules, MessageRulesRow),
        )
        for kind, part, row in only:
            if part is not None:
                rules = {field: as_list(value) for field, value in part.model_dump(exclude_none=True).items()}
                yield kind, kind, await self._save(row, {"is_only": True}, rules)
        if (approving := self._document.approval_rules) is not None:
            kept = await self._save(ApprovalRulesRow, {"is_only": True}, approving.stored())
            yield "approval_rules", "approval_rules", kept

    async def _runs(self) -> AsyncIterator[Written]:
        for seller in self._document.sellers:
            yield "seller", seller.id, await upsert(self._connection, ADD_SELLER, seller.stored())
        for provider in self._document.providers:
            yield "provider", provider.id, await self._provider(provider)
        for creditor in self._document.creditors:
            given = creditor.model_dump(exclude={"id"})
            yield "creditor", creditor.id, await self._save(CreditorRow, {"id": creditor.id}, given)
        for layout in self._document.statement_layouts:
            given = {"document": layout.stored()}
            yield "statement_layout", layout.id, await self._save(StatementLayoutRow, {"id": layout.id}, given)
        for policy in self._document.dunning_policies:
            yield "dunning_policy", policy.id, await self._policy(policy)
        for definition in self._document.run_definitions:
            yield "run_definition", definition.id, await self._definition(definition)

    async def _taken_away(self) -> AsyncIterator[Written]:
        for kind in self._document.whole:
            named = [part.id for part in getattr(self._document, kind)]
            for id, change in await self._ledger.take_away(kind, named):
                yield kind.removesuffix("s"), id, change

    async def _save(self, row: type[Base], key: Mapping[str, Any], given: Mapping[str, Any]) -> PartChange:
        return await save(self._connection, row, key, given)

    async def _provider(self, provider: Provider) -> PartChange:
        lists = {
            "provider": provider.id,
            "currencies": list(provider.currencies),
            "methods": list(provider.payment_methods),
        }
        is_taken_away = (await self._connection.execute(text(KEEP_LISTS), lists)).scalar_one()
        given = provider.model_dump(include={"id", "gateway", "mode", "state"})
        given["application_fee"] = None if provider.fee_stored is None else Jsonb(provider.fee_stored)
        changes = [await upsert(self._connection, ADD_PROVIDER, given)]
        for code in provider.currencies:
            values = {"provider": provider.id, "currency": code, "minimum": provider.minimum_minor(code)}
            changes.append(await upsert(self._connection, ADD_CURRENCY, values))
        changes += [
            await upsert(self._connection, ADD_PROVIDER_METHOD, {"provider": provider.id, "method": method})
            for method in provider.payment_methods
        ]
        if provider.merchant is not None:
            assigned = {"provider": provider.id, "merchant": provider.merchant}
            is_new = (await self._connection.execute(text(ASSIGN_PROVIDER), assigned)).scalar_one()
            changes.append(PartChange.UPDATED if is_new else PartChange.UNCHANGED)
        return together([*changes, PartChange.UPDATED] if is_taken_away else changes)

    async def _policy(self, part: Policy) -> PartChange:
        policy, place = part.policy, {"id": part.policy.id, "segment": part.segment}
        row = DunningPolicyRow
        stored = LATEST_POLICIES.where(row.id == policy.id, row.segment == part.segment)
        rows = (await self._connection.execute(stored)).all()
        latest = DUNNING.validate_python({**rows[0].document, "id": policy.id, "version": 1}) if rows else None
        if latest == replace(policy, version=1):
            return PartChange.UNCHANGED
        document = DUNNING.dump_python(policy, mode="json", exclude={"id", "version"})
        version = rows[0].version + 1 if rows else 1
        values = {**place, "version": version, "document": Jsonb(document)}
        await self._connection.execute(text(ADD_POLICY), values)
        return PartChange.UPDATED if rows else PartChange.CREATED

    async def _definition(self, definition: RunDefinition) -> PartChange:
        values = {
            **definition.model_dump(),
            "currencies": list(definition.currencies),
            "schedule": Jsonb(definition.schedule.stored()) if definition.schedule else None,
            "criteria": Jsonb(definition.criteria.stored()),
            "keeps_schedule": definition.keeps_schedule,
            "keeps_state": definition.keeps_state,
        }
        return await upsert(self._connection, ADD_DEFINITION, values)
