"""A refund run: once a day, rewards that are due and accounts in credit get their money back (X67, F120)."""

from dataclasses import dataclass
from datetime import date

from models.runs.run_control import RunStage


@dataclass(frozen=True)
class RefundRunRequest:
    """Run a provider's refunds of a day; without a day it is the day in UTC on which the run starts.

    `not_due_yet` runs a day that has not begun, and `over_nobody` one on which nobody is due anything; both are refused
    otherwise, for they close the day. What a schedule starts closes a day without anybody. `resumed` is how far an
    earlier execution was.
    """

    provider: str = "stripe"
    day: date | None = None
    not_due_yet: bool = False
    resumed: "RefundRunSnapshot | None" = None
    over_nobody: bool = False


@dataclass(frozen=True)
class RefundRunSnapshot:
    """What a run carries from one execution to the next.

    The last member of its page, counts, who is waited for, and how it is steered.
    """

    members: int = 0
    after: str = ""
    sent: int = 0
    answered: int = 0
    handed_over: int = 0
    waiting: tuple[str, ...] = ()
    is_paused: bool = False
    decisions: tuple[str, ...] = ()


@dataclass(frozen=True)
class RefundRunOrders:
    """How a run is steered, which no row knows: whoever goes on after a fault is to know it."""

    is_paused: bool = False
    decisions: tuple[str, ...] = ()


@dataclass(frozen=True)
class RefundRunTotals:
    """How far a run is: what is handed over goes on by itself, and is not waited for."""

    members: int
    sent: int
    answered: int
    handed_over: int = 0


@dataclass(frozen=True)
class RefundRunStatus:
    """Where a run stands, how far it is, and what people have decided about it."""

    stage: RunStage
    members: int
    sent: int
    answered: int
    handed_over: int = 0
    decisions: tuple[str, ...] = ()


@dataclass(frozen=True)
class RefundRunStart:
    """Freeze the members of a run. Releases before this one do not say whether it may be over nobody: it may."""

    run_id: str
    provider: str
    day: date
    over_nobody: bool = True


@dataclass(frozen=True)
class RefundPart:
    """A refund that was reserved for an account in credit, with the provider of its payment."""

    refund_id: str
    payment_id: str
    amount_minor: int
    provider: str = ""


@dataclass(frozen=True)
class RefundMember:
    """A member of a run: an award, or an account in credit with its refunds."""

    member_id: str
    account_id: str
    award_id: str = ""
    refunds: tuple[RefundPart, ...] = ()


@dataclass(frozen=True)
class RefundTotal:
    """Members of a kind with one outcome in one currency; amounts in minor units, requested and refunded."""

    kind: str
    outcome: str
    currency: str
    members: int
    amount_minor: int
    refunded_minor: int


@dataclass(frozen=True)
class RefundCertificate:
    """The closing statement of a refund run: every member counted once, as it stood at the end."""

    run_id: str
    day: date
    members: int
    totals: tuple[RefundTotal, ...]
    sha256: str
