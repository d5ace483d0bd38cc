"""Mandates and debits as the command line shows them. An IBAN goes into the bank's file and into no answer."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Row, and_, case, cast, func, select

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.bank.mandate import reference_is_written_well
from models.bank.payee import IbanError, bic_is_written_well, iban_of
from models.listing import ListPage
from models.problem import refusal
from models.tables.configuration import CreditorRow
from models.tables.returns import DebitRow, MandateRow

# `duly.is_mandate_expired`, for who reads: expired from that day on, not only once the next file has noted it.
_ZONE = select(CreditorRow.time_zone).where(CreditorRow.id == MandateRow.provider_id).scalar_subquery()
_TODAY = cast(func.timezone(_ZONE, func.now()), Date)
_ENDS_AT = func.greatest(MandateRow.last_used_on, MandateRow.signed_on) + func.make_interval(0, 36)
_STATE: ColumnElement[str] = case(
    (and_(MandateRow.state.in_(("signed", "active", "suspended")), _TODAY >= _ENDS_AT), "expired"),
    else_=MandateRow.state,
)
_MANDATES = select(
    *(MandateRow.id, MandateRow.account_id, MandateRow.provider_id, MandateRow.payer_name),
    func.right(MandateRow.iban, 4).label("iban_end"),
    *(_STATE.label("state"), MandateRow.state_reason, MandateRow.signed_on, MandateRow.last_used_on),
    *(MandateRow.is_amended, MandateRow.notice_days, MandateRow.created_at, MandateRow.decisions),
)
_DEBITS = select(
    *(DebitRow.id, DebitRow.account_id, DebitRow.provider_id, DebitRow.mandate_id, DebitRow.batch_id),
    *(DebitRow.sequence_type, DebitRow.collect_on, DebitRow.amount_minor, DebitRow.currency),
    *(DebitRow.state, DebitRow.code, DebitRow.created_at, DebitRow.answered_at),
)
_LIST_OF_MANDATES = NewestFirst(_MANDATES, moment=MandateRow.created_at, key=MandateRow.id, state=_STATE)
_LIST_OF_DEBITS = NewestFirst(
    _DEBITS,
    moment=DebitRow.created_at,
    key=DebitRow.id,
    state=DebitRow.state,
    amount=DebitRow.amount_minor,
    currency=DebitRow.currency,
)


@dataclass(frozen=True)
class BankAccount:
    """Whose bank account is debited, as it was checked."""

    payer: str = field(repr=False)
    iban: str = field(repr=False)
    bic: str = field(repr=False)


@dataclass(frozen=True)
class MandateTerms:
    """When a payer has signed, if yet, and how many days of notice were agreed; None: as the creditor has it."""

    signed_on: date | None = None
    notice_days: int | None = None


def bank_account(payer: str, iban: str, bic: str, *, is_payer_known: bool = False) -> BankAccount:
    """Check a bank account. Raises RefusedError; the IBAN is in no message."""
    if not is_payer_known and not payer:
        raise refusal("payer", "value_required", "who owns the bank account?")
    if len(payer) > 70:
        raise refusal("payer", "name_length", "must be 70 letters or fewer")
    if not bic_is_written_well(bic):
        raise refusal("bic", "bic_format", "must be 8 or 11 letters and digits")
    try:
        return BankAccount(payer, iban_of(iban), bic)
    except IbanError as error:
        raise refusal("iban", "iban_valid", str(error)) from error


class Mandates:
    """Writes and reads mandates, and reads debits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        mandate: str,
        account: str,
        provider: str,
        method: str,
        of: BankAccount,
        *,
        terms: MandateTerms,
        actor: str,
        reason: str,
    ) -> None:
        """Write a mandate down; a repeat changes nothing. Raises RefusedError and RuleBrokenError, naming the rule."""
        if not reference_is_written_well(mandate):
            what = "must be up to 35 letters, digits and + ? / : ( ) . , ' -, without a slash at an end or two in a row"
            raise refusal("mandate", "mandate_reference", what)
        await self._database.call(
            "create_mandate",
            id=mandate,
            account_id=account,
            provider_id=provider,
            method=method,
            payer_name=of.payer,
            iban=of.iban,
            bic=of.bic,
            signed_on=terms.signed_on,
            notice_days=terms.notice_days,
            actor=actor,
            reason=reason,
        )

    async def sign(self, mandate: str, signed_on: date | None, *, actor: str, reason: str) -> str:
        """Note that the payer has signed (None: today at the creditor); return the account. Raises RuleBrokenError."""
        return str(
            await self._database.call("sign_mandate", id=mandate, signed_on=signed_on, actor=actor, reason=reason)
        )

    async def amend(self, mandate: str, to: BankAccount, *, actor: str, reason: str) -> str:
        """Debit another bank account under the same mandate; return the account. Raises RuleBrokenError."""
        return str(
            await self._database.call(
                "amend_mandate",
                id=mandate,
                payer_name=to.payer,
                iban=to.iban,
                bic=to.bic,
                actor=actor,
                reason=reason,
            )
        )

    async def cancel(self, mandate: str, *, actor: str, reason: str) -> str:
        """End a mandate, and every debit that waits for its file; return the account. Raises RuleBrokenError."""
        return str(await self._database.call("cancel_mandate", id=mandate, actor=actor, reason=reason))

    async def find(self, mandate: str) -> Row[Any]:
        """Return one mandate. Raises RefusedError (mandate_exists)."""
        found = await self._database.read_first(_MANDATES.where(MandateRow.id == mandate))
        if found is None:
            raise refusal("mandate", "mandate_exists", f"there is no mandate {mandate!r}")
        return found

    async def page(self, page: ListPage, *, account_id: str, state: str) -> Listed:
        """Return a page of mandates, the newest first; empty filters let all through."""
        filters = (*matching(MandateRow.account_id, account_id), *matching(_STATE, state))
        return await _LIST_OF_MANDATES.page(self._database, page, *filters)

    async def debits(self, page: ListPage, *, account_id: str, state: str) -> Listed:
        """Return a page of debits, the newest first; empty filters let all through."""
        filters = (*matching(DebitRow.account_id, account_id), *matching(DebitRow.state, state))
        return await _LIST_OF_DEBITS.page(self._database, page, *filters)
