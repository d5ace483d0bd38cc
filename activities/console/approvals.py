"""Requests that another person approves: asked for, decided about, and listed."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Row, case, func, select

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.console.approval import ApprovalDecision, ApprovedRequest, LimitAlone, LimitedKind
from models.console.roles import APPROVERS, ConsoleRole
from models.listing import ListPage
from models.tables.operations import ApprovalRow

_A = ApprovalRow
_STATE = case(((_A.state == "waiting") & (_A.expires_at <= func.now()), "expired"), else_=_A.state)
_APPROVALS = select(
    _A.id,
    _A.action,
    _A.kind,
    _A.subject,
    _A.account_id,
    _A.amount_minor,
    _A.currency,
    _A.fields,
    _STATE.label("state"),
    _A.asked_by,
    _A.asked_because,
    _A.asked_at,
    _A.expires_at,
    _A.decided_by,
    _A.decided_because,
    _A.decided_at,
    _A.outcome,
    _A.answer,
)
_LIST = NewestFirst(
    _APPROVALS, moment=_A.asked_at, key=_A.id, state=_STATE, amount=_A.amount_minor, currency=_A.currency
)


@dataclass(frozen=True)
class LimitedRequest:
    """What somebody asks for, with what it comes to in minor units."""

    key: str
    action: str
    kind: LimitedKind
    subject: str
    account_id: str
    amount_minor: int
    currency: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class UserRights:
    """What a change is to give a user; None and nothing are left as they are."""

    role: ConsoleRole | None = None
    has_password: bool = False
    state: str = ""
    merchants: Sequence[str] | None = None


class Approvals:
    """Keeps requests for approval, and reads them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, asked: LimitedRequest, *, user_id: str, reason: str) -> str:
        """Return the id under which it waits for another person, "" when it needs none. Raises RuleBrokenError."""
        given = {one.name: getattr(asked, one.name) for one in fields(asked)}
        given |= {"kind": asked.kind.value, "fields": Jsonb(dict(asked.fields))}
        found = await self._database.call("ask_approval", **given, user_id=user_id, reason=reason)
        return str(found or "")

    async def ask_to_give(
        self, kind: LimitedKind, account_id: str, amount_minor: int, currency: str, *, user_id: str, reason: str
    ) -> str:
        """Keep a request for an amount of a kind, "" for no account, and return its id. Raises RuleBrokenError."""
        given: dict[str, Any] = {"kind": kind.value, "account_id": account_id or None, "amount_minor": amount_minor}
        given |= {"id": _new_id(), "currency": currency, "user_id": user_id, "reason": reason}
        return str(await self._database.call("ask_to_give", **given))

    async def ask_limits(self, rules: Mapping[str, Any], *, user_id: str, reason: str) -> str:
        """Keep a request for limits as `rules` would have them, by column, and return its id (RuleBrokenError)."""
        given: dict[str, Any] = {"id": _new_id(), "rules": Jsonb(dict(rules)), "user_id": user_id, "reason": reason}
        return str(await self._database.call("ask_limits", **given))

    async def ask_user(self, user: str, given: UserRights, *, user_id: str, reason: str) -> str:
        """Keep a request for what a user is to be given, and return its id. Raises RuleBrokenError."""
        asked: dict[str, Any] = {"id": _new_id(), "user": user, "role": given.role, "state": given.state or None}
        asked |= {"password_hash": "another" if given.has_password else None}
        asked |= {"merchants": None if given.merchants is None else list(given.merchants)}
        return str(await self._database.call("ask_user", **asked, user_id=user_id, reason=reason))

    async def limit_alone(self, kind: LimitedKind, user_id: str, currency: str) -> LimitAlone | None:
        """Return what a user does of a kind and currency alone, and how much of it is used today; None for no user."""
        found = await self._database.call("limit_alone", kind=kind.value, user_id=user_id, currency=currency)
        return LimitAlone(kind, currency, **found) if found else None

    async def decide(self, id: str, decision: ApprovalDecision, *, actor: str, reason: str) -> ApprovedRequest:
        """Keep a decision and return what it is about. Raises RuleBrokenError, also when the actor may not."""
        roles = list(ConsoleRole) if decision is ApprovalDecision.WITHDRAWN else sorted(APPROVERS)
        found = await self._database.call(
            "decide_approval", id=id, decision=decision.value, actor=actor, reason=reason, roles=roles
        )
        return ApprovedRequest(**{one.name: found[one.name] for one in fields(ApprovedRequest)})

    async def end(self, id: str, outcome: str, answer: str) -> None:
        """Keep what became of a request that was approved."""
        await self._database.call("end_approval", id=id, outcome=outcome, answer=answer)

    async def find(self, id: str) -> Row[Any] | None:
        """Return a request, or None."""
        return await self._database.read_first(_APPROVALS.where(_A.id == id))

    async def page(self, page: ListPage, *, state: str, account_id: str, asked_by: str) -> Listed:
        """Return a page of requests, the newest first; empty filters let all through."""
        narrowed = (state == _STATE,) if state else ()
        others = (*matching(_A.account_id, account_id), *matching(_A.asked_by, asked_by))
        return await _LIST.page(self._database, page, *narrowed, *others)


def _new_id() -> str:
    return f"apv_{secrets.token_hex(16)}"
