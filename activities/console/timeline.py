"""All that has happened to an account, newest first: documents, attempts, letters, disputes, notes, changes."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Text, cast, func, literal, null, select, tuple_, union_all

from activities.database import Database
from activities.listing import Listed
from models.ledger.transaction import LifeCycleState
from models.listing import ListPage
from models.messages.message import Audience
from models.problem import refusal
from models.tables.collecting import GatewayAttemptRow, GatewayRequestRow, PaymentRequestRow
from models.tables.configuration import CardRow
from models.tables.messages import MessageRow
from models.tables.returns import DisputeRow
from models.tables.subscriptions import AccountChangeRow, SubscriptionChangeRow, SubscriptionRow
from models.tables.transactions import FinancialTransactionRow, TransactionNoteRow, TransactionNumberRow

KINDS = ("document", "note", "attempt", "letter", "dispute", "request", "card", "subscription", "account")
_BEHIND = "|"

_T, _A, _R, _M, _D = FinancialTransactionRow, GatewayAttemptRow, GatewayRequestRow, MessageRow, DisputeRow
_P, _C, _N, _X, _S = PaymentRequestRow, CardRow, TransactionNoteRow, AccountChangeRow, SubscriptionChangeRow

_Part = Select[*tuple[Any, ...]]


class AccountTimeline:
    """Reads what has happened to an account. Each row: `at`, `kind`, `noun` and `id`, `shown`, an amount, `actor`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, account_id: str, page: ListPage, *, kind: str = "") -> Listed:
        """Return a page of an account's timeline, the newest first. Raises RefusedError for a place that is none."""
        rows = await self._database.read(timeline_of(account_id, page, kind=kind))
        following = f"{rows[-1].at.isoformat()}{_BEHIND}{rows[-1].key}" if len(rows) == page.limit else None
        return Listed(rows, following, is_totalled=False)


def timeline_of(account_id: str, page: ListPage, *, kind: str = "") -> _Part:
    """Return the statement of a page: each part of it is found by the account."""
    parts = [part for name, part in _parts(account_id).items() if kind in {"", name}]
    found = union_all(*parts).subquery()
    narrowed: list[ColumnElement[bool]] = []
    narrowed += [found.c.at >= page.starts_at] if page.starts_at else []
    narrowed += [found.c.at < page.ends_at] if page.ends_at else []
    if page.after:
        at, key = _place(page.after)
        narrowed.append(tuple_(found.c.at, found.c.key) < tuple_(literal(at), literal(key)))
    return select(found).where(*narrowed).order_by(found.c.at.desc(), found.c.key.desc()).limit(page.limit)


def _place(after: str) -> tuple[datetime, str]:
    moment, _, key = after.partition(_BEHIND)
    try:
        return datetime.fromisoformat(moment), key
    except ValueError as error:
        raise refusal("after", "place_known", "is no place in this list: begin at its first page") from error


def _part(
    kind: str, at: Any, key: Any, noun: str, id: Any, *shown: Any, money: tuple[Any, Any, Any], left: Any = None
) -> _Part:
    amount, currency, actor = money
    return select(
        at.label("at"),
        literal(kind).label("kind"),
        func.concat(kind, "/", key).label("key"),
        literal(noun).label("noun"),
        cast(id, Text).label("id"),
        func.concat_ws(", ", *(func.nullif(cast(one, Text), "") for one in shown)).label("shown"),
        cast(amount, BigInteger).label("amount_minor"),
        cast(null() if left is None else left, BigInteger).label("balance_minor"),
        cast(currency, Text).label("currency"),
        cast(actor, Text).label("actor"),
    )


def _parts(account_id: str) -> dict[str, _Part]:
    return {**_of_money(account_id), **_of_the_rest(account_id)}


def _of_money(account_id: str) -> dict[str, _Part]:
    document = _part(
        *("document", _T.posted_at, _T.id, "transactions", _T.id, _T.classification, TransactionNumberRow.number),
        _T.issue_reason,
        money=(_T.total_minor, _T.currency, _T.actor),
        left=_T.balance_after_minor,
    )
    attempt = _part(
        *("attempt", _A.sent_at, func.concat(_A.request_id, ":", _A.attempt), "payments", _A.request_id),
        *(func.coalesce(_A.outcome, "in_flight"), func.coalesce(func.nullif(_A.decline_code, ""), _A.code)),
        func.concat_ws(" ", _C.brand, _C.last4),
        money=(_A.amount_minor, _R.currency, func.nullif(_R.asked_by, "")),
    )
    dispute = _part(
        *("dispute", _D.opened_at, _D.id, "disputes", _D.id, _D.state, _D.reason),
        money=(_D.amount_minor, _D.currency, null()),
    )
    request = _part(
        *("request", _P.created_at, _P.id, "payment-requests", _P.id, _P.state, _P.title),
        money=(_P.amount_minor, _P.currency, _P.sender),
    )
    return {
        "document": document.outerjoin(TransactionNumberRow, TransactionNumberRow.transaction_id == _T.id).where(
            _T.account_id == account_id, _T.state != LifeCycleState.DRAFT, _T.posted_at.is_not(None)
        ),
        "attempt": attempt.join(_R, _R.id == _A.request_id)
        .outerjoin(_C, _C.id == _A.card_id)
        .where(_R.account_id == account_id),
        "dispute": dispute.where(_D.account_id == account_id),
        "request": request.where(_P.account_id == account_id),
    }


def _of_the_rest(account_id: str) -> dict[str, _Part]:
    def plain(actor: Any = None) -> tuple[Any, Any, Any]:
        return null(), null(), null() if actor is None else actor

    note = _part("note", _N.noted_at, _N.id, "transactions", _N.transaction_id, _N.note, money=plain(_N.author))
    letter = _part(
        *("letter", func.coalesce(_M.sent_at, _M.created_at), _M.id, "messages", _M.id, _M.kind, _M.state),
        money=plain(),
    )
    card = _part(
        *("card", _C.created_at, _C.id, "", _C.id, func.concat_ws(" ", _C.brand, _C.last4), _C.state, _C.state_reason),
        money=plain(),
    )
    change = _part("account", _X.changed_at, _X.id, "", literal(""), _X.reason, money=plain(_X.actor))
    subscription = _part(
        *("subscription", _S.changed_at, func.concat(_S.subscription_id, ":", _S.version), "", _S.subscription_id),
        *(_S.kind, _S.reason),
        money=plain(_S.actor),
    )
    return {
        "note": note.join(_T, _T.id == _N.transaction_id).where(_T.account_id == account_id),
        "letter": letter.where(_M.account_id == account_id, _M.audience == Audience.CUSTOMER),
        "card": card.where(_C.account_id == account_id),
        "account": change.where(_X.account_id == account_id),
        "subscription": subscription.join(SubscriptionRow, SubscriptionRow.id == _S.subscription_id).where(
            SubscriptionRow.account_id == account_id
        ),
    }
