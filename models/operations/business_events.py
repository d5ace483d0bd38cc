"""What a business process has committed, as logs and metrics name it: ids, amounts and outcomes, nothing personal.

Each kind of event says its name, which is stable, and its details. docs/operations.md lists the names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from models.disputes.dispute import DisputeState
from models.gateway.decline import DeclineClass
from models.gateway.gateway_request import AttemptOutcome, RequestKind
from models.money import Money
from models.operations.end_reason import EndReason
from models.operations.event_names import OF_DISPUTE, OF_PAYMENT, OF_REFUND, EventName, RunSort
from models.refunds.refund import RefundOutcome

Details = dict[str, object]

_MAIL_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
NOT_LOGGED = "(mail address)"


class BusinessEvent(Protocol):
    """Something that is committed."""

    @property
    def name(self) -> EventName:
        """The stable name of what happened."""
        ...

    def details(self) -> Details:
        """Ids, amounts with their currency, codes."""
        ...


@dataclass(frozen=True, kw_only=True)
class AttemptRecorded:
    """The outcome of an attempt to collect was recorded; `until_certain`, since its start, once it is definite."""

    outcome: AttemptOutcome
    request_id: str
    attempt: int
    account_id: str
    receivable: str
    amount: Money
    gateway_reference: str = ""
    decline_class: DeclineClass | None = None
    code: str = ""
    until_certain: timedelta | None = None

    @property
    def name(self) -> EventName:
        """What became of the payment."""
        return OF_PAYMENT[self.outcome]

    def details(self) -> Details:
        """Ids and amount, and why where it is no success."""
        return _given(
            request_id=self.request_id,
            attempt=self.attempt,
            account_id=self.account_id,
            receivable=self.receivable,
            amount=str(self.amount),
            gateway_reference=self.gateway_reference,
            decline_class=self.decline_class or "",
            code=self.code,
        )


@dataclass(frozen=True)
class AttemptUnanswered:
    """The gateway did not say what became of an attempt, and until then nobody had noted so."""

    kind: RequestKind
    request_id: str
    attempt: int
    code: str

    @property
    def name(self) -> EventName:
        """Whose outcome nobody knows."""
        return EventName.PAYMENT_UNKNOWN if self.kind is RequestKind.PAYMENT else EventName.REFUND_UNKNOWN

    def details(self) -> Details:
        """Which attempt, and what the gateway gave instead of an answer."""
        return _given(request_id=self.request_id, attempt=self.attempt, code=self.code)


@dataclass(frozen=True)
class UnknownResolved:
    """What nobody knew has an outcome now: by evidence, or by a person."""

    kind: RequestKind
    request_id: str
    attempt: int
    outcome: str
    actor: str = ""

    @property
    def name(self) -> EventName:
        """Whose outcome is known."""
        return EventName.PAYMENT_RESOLVED if self.kind is RequestKind.PAYMENT else EventName.REFUND_RESOLVED

    def details(self) -> Details:
        """Which attempt, its outcome, and who found out where it was a person."""
        return _given(
            request_id=self.request_id, attempt=self.attempt, outcome=self.outcome, actor=without_address(self.actor)
        )


@dataclass(frozen=True)
class RefundRecorded:
    """A refund or a payment cancellation stands elsewhere than before."""

    outcome: RefundOutcome
    kind: RequestKind
    request_id: str
    account_id: str
    payment_id: str
    amount: Money
    gateway_reference: str
    code: str

    @property
    def name(self) -> EventName:
        """Where it stands."""
        return OF_REFUND[self.outcome]

    def details(self) -> Details:
        """Ids and amount."""
        return _given(
            request_id=self.request_id,
            kind=self.kind,
            account_id=self.account_id,
            payment_id=self.payment_id,
            amount=str(self.amount),
            gateway_reference=self.gateway_reference,
            code=self.code,
        )


@dataclass(frozen=True)
class DisputeRecorded:
    """A dispute stands elsewhere than before."""

    state: DisputeState
    dispute_id: str
    account_id: str
    payment_id: str
    amount: Money
    reason: str

    @property
    def name(self) -> EventName:
        """Where it stands."""
        return OF_DISPUTE[self.state]

    def details(self) -> Details:
        """Ids, amount and the bank's reason."""
        return _given(
            dispute_id=self.dispute_id,
            account_id=self.account_id,
            payment_id=self.payment_id,
            amount=str(self.amount),
            dispute_reason=self.reason,
        )


@dataclass(frozen=True)
class RunStarted:
    """The members of a run are fixed."""

    sort: RunSort
    run_id: str
    members: int

    @property
    def name(self) -> EventName:
        """That it has begun."""
        return EventName.RUN_STARTED

    def details(self) -> Details:
        """Which run, and how many are in it."""
        return {"run_id": self.run_id, "sort": self.sort, "members": self.members}


@dataclass(frozen=True)
class RunEnded:
    """A run is closed, and its certificate is written."""

    sort: RunSort
    run_id: str
    members: int
    outcomes: Mapping[str, int] = field(default_factory=dict)
    amounts: tuple[Money, ...] = ()

    @property
    def name(self) -> EventName:
        """That it is over."""
        return EventName.RUN_COMPLETED

    def details(self) -> Details:
        """Which run, and what it came to."""
        return {
            "run_id": self.run_id,
            "sort": self.sort,
            "members": self.members,
            "outcomes": dict(self.outcomes),
            "amounts": [str(amount) for amount in self.amounts],
        }


@dataclass(frozen=True)
class CollectionMoved:
    """A receivable that has to wait was taken over, settled or given up."""

    name: EventName
    account_id: str
    receivable: str
    amount: Money | None = None
    reason: EndReason | None = None

    def details(self) -> Details:
        """Which receivable, and why it ended."""
        return _given(
            account_id=self.account_id,
            receivable=self.receivable,
            amount=str(self.amount) if self.amount else "",
            reason=self.reason or "",
        )


@dataclass(frozen=True)
class DiscrepancyFound:
    """Gateway and ledger differ: Duly has booked it, or listed it for a person."""

    kind: str
    object: str
    is_mended: bool

    @property
    def name(self) -> EventName:
        """Whether anybody has to look at it."""
        return EventName.DISCREPANCY_MENDED if self.is_mended else EventName.DISCREPANCY_OPENED

    def details(self) -> Details:
        """What it is about."""
        return {"kind": self.kind, "object": self.object}


@dataclass(frozen=True)
class CommandEnded:
    """A command of the command line is over, or was cut off: `words` are its noun and verb, `subject` ids and dates.

    Why may hold names, also in one word: it stays in the database. So does a mail address that was typed for an id.
    """

    id: int
    words: str
    subject: str
    actor: str
    outcome: str

    @property
    def name(self) -> EventName:
        """That somebody wanted something changed."""
        return EventName.COMMAND

    def details(self) -> Details:
        """What was asked for by whom, and what became of it."""
        noun, _, verb = self.words.partition(" ")
        return _given(
            noun=noun,
            verb=verb,
            ids=_MAIL_ADDRESS.sub(NOT_LOGGED, self.subject),
            actor=without_address(self.actor),
            outcome=self.outcome,
            command_id=self.id,
        )


def without_address(actor: str) -> str:
    """Return who it was, without the domain of a mail address."""
    return actor.partition("@")[0]


def _given(**details: object) -> Details:
    return {name: value for name, value in details.items() if value != ""}
