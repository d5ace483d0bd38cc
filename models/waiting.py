"""What ends a workflow's wait, and what of a wait survives a continue-as-new."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class WakeReason(StrEnum):
    """Why a workflow that waits goes on."""

    TIMER = "timer"
    # The history has grown so long that the workflow has to continue as new before anything else.
    LONG_HISTORY = "long_history"
    GATEWAY_EVENT = "gateway_event"
    RESOLVED = "resolved"
    CARD_CHANGED = "card_changed"
    RECEIVABLE_CHANGED = "receivable_changed"
    RETRY_NOW = "retry_now"
    SKIP = "skip"
    EXTEND_GRACE = "extend_grace"
    GIVE_UP = "give_up"
    CANCELLED = "cancelled"
    PAGE_OPENED = "page_opened"
    CARD_TOUCHED = "card_touched"
    REVALIDATE = "revalidate"
    CHECK = "check"
    REFUND_MOVED = "refund_moved"
    PAYMENT_CHANGED = "payment_changed"
    DECIDED = "decided"
    HOLD_RELEASED = "hold_released"


@dataclass(frozen=True)
class Wake:
    """What ended a wait, with what its command carried: the card to try, or the moment to wait for."""

    reason: WakeReason
    card_id: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class WaiterSnapshot:
    """What a waiting workflow carries from one execution to the next, commands that nobody has taken up included."""

    history: tuple[str, ...] = ()
    is_in_review: bool = False
    review_reason: str = ""
    pending: tuple[Wake, ...] = ()


NOTHING_PENDING = WaiterSnapshot()


@dataclass(frozen=True)
class AcceptedCommands:
    """What was accepted and is not done, of which no row knows: it goes past a fault, where all else is read anew."""

    pending: tuple[Wake, ...] = ()
