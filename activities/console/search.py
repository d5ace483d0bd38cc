"""Search: whatever somebody has in hand, found in one statement, each part by an index."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Row,
    Select,
    Text,
    func,
    literal,
    literal_column,
    select,
    true,
    union_all,
)

from activities.console.merchant_scope import is_customer_of
from activities.database import Database
from models.gateway.gateway_request import RequestKind
from models.payments.preference import number_of_preference
from models.tables.accounts import AccountRow
from models.tables.collecting import (
    GatewayAttemptRow,
    GatewayEventRow,
    GatewayRequestRow,
    PaymentRequestRow,
    ProcessRunRow,
)
from models.tables.configuration import CardRow, GatewayCustomerRow, PaymentPreferenceRow, ProviderRow
from models.tables.merchants.payments import MerchantTransferMoveRow, MerchantTransferRow
from models.tables.messages import MessageRow
from models.tables.operations import ApprovalRow
from models.tables.reconciliation import DiscrepancyRow
from models.tables.returns import DisputeRow, MerchantRow, RefundRunRow
from models.tables.transactions import FinancialTransactionRow, TransactionNumberRow

FOUND_AT_MOST = 20

_Found = Select[*tuple[Any, ...]]
_R, _A, _T = GatewayRequestRow, GatewayAttemptRow, FinancialTransactionRow
_S, _V = MerchantTransferRow, MerchantTransferMoveRow
_REFERENCE = re.compile(r"^R([0-9]{1,18})$")
_LAST_4 = re.compile(r"^[0-9]{4}$")

# As migration 0028 has indexed it. Both sides are folded alike.
_FOLDED = " translate(lower({}), 'äöüáàâéèêëíìîïóòôúùûçñάέήίόύώϊϋ@.-_+', 'aouaaaeeeeiiiiooouuucnαεηιουωιυ     ')"  # noqa: RUF001  # Greek
_WORDS_OF_ACCOUNT: ColumnElement[Any] = literal_column(
    "to_tsvector('simple'::regconfig,"
    + _FOLDED.format(
        "duly.accounts.owner_name || ' ' || coalesce(duly.accounts.email, '')"
        " || ' ' || coalesce(duly.accounts.owner_reference, '')"
    )
    + ")"
)
_ASKED = str.maketrans(
    "äöüáàâéèêëíìîïóòôúùûçñάέήίόύώϊϋ@.-_+",
    "aouaaaeeeeiiiiooouuucnαεηιουωιυ     ",  # noqa: RUF001  # Greek
)


class Search:
    """Finds objects by what somebody typed: `noun`, `id` and, for a person, `name`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_id(self, words: str) -> Sequence[Row[Any]]:
        """Return what has exactly this id, number, or reference at a gateway."""
        found = union_all(*_exactly(words)).limit(FOUND_AT_MOST)
        async with self._database.connection() as connection:
            return (await connection.execute(found)).all()

    async def of_amount(
        self, amounts: Mapping[int, Sequence[str]], merchants: Sequence[str] = ()
    ) -> Sequence[Row[Any]]:
        """Return the newest transactions of an amount: minor units, each with the currencies that it is meant in.

        Of whoever is limited to merchants, those of their customers, however many newer ones others have.
        """
        minors, codes = zip(*((minor, code) for minor, codes in amounts.items() for code in codes), strict=True)
        given = func.unnest(literal(minors, ARRAY(BigInteger)), literal(codes, ARRAY(Text)))
        money = given.table_valued("minor", "code").render_derived()
        # The newest of each currency are read by the index, however many have another one.
        newest = (
            select(_T.id, _T.created_at)
            .where(_T.total_minor == money.c.minor, _T.currency == money.c.code)
            .where(*is_customer_of(merchants, _T.account_id))
            .order_by(_T.created_at.desc())
            .limit(FOUND_AT_MOST)
            .correlate(money)
            .lateral("newest")
        )
        number = TransactionNumberRow.number
        return await self._database.read(
            select(_T.id, number, _T.account_id, _T.currency, _T.total_minor, _T.posted_on, _T.classification, _T.state)
            .select_from(money)
            .join(newest, true())
            .join(_T, _T.id == newest.c.id)
            .outerjoin(TransactionNumberRow, TransactionNumberRow.transaction_id == _T.id)
            .order_by(newest.c.created_at.desc())
            .limit(FOUND_AT_MOST)
        )

    async def accounts(self, words: str, *filters: ColumnElement[bool]) -> Sequence[Row[Any]]:
        """Return the accounts of whose name, e-mail or reference each word is the beginning of one."""
        asked = re.findall(r"\w+", words.lower().translate(_ASKED))
        if not asked:
            return []
        query = func.to_tsquery(literal_column("'simple'::regconfig"), " & ".join(f"'{one}':*" for one in asked))
        row = AccountRow
        return await self._database.read(
            select(literal("accounts").label("noun"), row.id, row.owner_name.label("name"), row.state)
            .where(_WORDS_OF_ACCOUNT.op("@@")(query), *filters)
            .limit(FOUND_AT_MOST)
        )


def _exactly(words: str) -> Sequence[_Found]:
    named = _REFERENCE.match(words)
    transaction = f"ft_{named[1]}" if named else words
    found = [
        _as("accounts", AccountRow.id, AccountRow.id == words),
        _as("accounts", GatewayCustomerRow.account_id, GatewayCustomerRow.customer_reference == words),
        _as("transactions", TransactionNumberRow.transaction_id, TransactionNumberRow.number == words),
        _as("transactions", _T.id, _T.id == transaction),
        _as("transactions", _T.id, _T.back_office_code == words),
        _as("transactions", _T.id, _T.payment_reference == words),
        _as("payments", _R.id, _R.id == words, _R.kind == RequestKind.PAYMENT),
        _as("refunds", _R.id, _R.id == words, _R.of_request_id.is_not(None)),
        _as(
            "refunds",
            _R.id,
            _R.provider_id.in_(select(ProviderRow.id)),
            _R.gateway_reference == words,
            _R.of_request_id.is_not(None),
        ),
        _as("payments", _A.request_id, _A.gateway_reference == words),
        _as("payments", _A.request_id, _A.charge_reference == words),
        # While a page is open, its id is the reference as well.
        _as("payments", _A.request_id, _A.page_reference == words, _A.gateway_reference.is_distinct_from(words)),
        _as("runs", ProcessRunRow.id, ProcessRunRow.id == words),
        _as("refund-runs", RefundRunRow.id, RefundRunRow.id == words),
        _as("disputes", DisputeRow.id, DisputeRow.id == words),
        _as("discrepancies", DiscrepancyRow.id, DiscrepancyRow.id == words),
        _as("discrepancies", DiscrepancyRow.id, DiscrepancyRow.object == words),
        _as("payment-requests", PaymentRequestRow.id, PaymentRequestRow.id == words),
        _as("events", GatewayEventRow.id, GatewayEventRow.id == words),
        _as("messages", MessageRow.id, MessageRow.id == words),
        _as("approvals", ApprovalRow.id, ApprovalRow.id == words),
        _as("accounts", CardRow.account_id, CardRow.id == words),
        _as("merchants", MerchantRow.id, MerchantRow.id == words),
        _as("merchants", ProviderRow.merchant_id, ProviderRow.gateway_account == words),
        _as("payments", _S.request_id, _S.id == _V.transfer_id, _V.gateway_reference == words),
        _as("payments", _S.request_id, _S.id == _V.transfer_id, _V.connected_reference == words),
    ]
    if words.upper().startswith("PP-"):
        row = PaymentPreferenceRow
        found.append(_as("accounts", row.account_id, row.number == (number_of_preference(words) or 0)))
    if _LAST_4.match(words):
        found.append(_as("accounts", CardRow.account_id, CardRow.last4 == words).limit(FOUND_AT_MOST))
    return found


def _as(noun: str, id: Any, *filters: Any) -> _Found:
    return select(literal(noun).label("noun"), id.label("id")).where(*filters).distinct()
