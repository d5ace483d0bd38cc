"""The states of a request to the gateway, and of each of its attempts (X31 to X42)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# The rule by which no page is opened for an attempt that the gateway has had already.
ATTEMPT_WAS_MADE = "attempt_was_made"
# The code of what is processing at a provider that answers days later, by a file or a call.
ANSWERS_LATER = "answers_later"


class RequestKind(StrEnum):
    """What is requested: payments, payment cancellations and refunds (X12, X33), and our own card validation."""

    PAYMENT = "payment"
    PAYMENT_CANCELLATION = "payment_cancellation"
    REFUND = "refund"
    CARD_VALIDATION = "card_validation"


class RequestState(StrEnum):
    """Life of a request (X34), with the state that the field forgets: nobody knows yet."""

    PENDING = "pending"
    UNDER_PROCESSING = "under_processing"
    UNKNOWN = "unknown"
    POSTED = "posted"
    REJECTED = "rejected"
    REVERSED = "reversed"  # it was posted, and then its money came back


class AttemptCause(StrEnum):
    """Why an attempt was made: only scheduled ones use up the dunning policy's attempts."""

    SCHEDULED = "scheduled"
    CARD_CHANGED = "card_changed"
    MANUAL = "manual"
    CUSTOMER = "customer"


class AttemptChannel(StrEnum):
    """How the customer's card or bank account is charged, or that money goes back to it."""

    OFF_SESSION = "off_session"
    HOSTED_PAGE = "hosted_page"
    REFUND = "refund"
    BANK_DEBIT = "bank_debit"


class AttemptOutcome(StrEnum):
    """How an attempt ended. The first four are final; without an outcome it was sent and has no answer yet."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    DID_NOT_HAPPEN = "did_not_happen"
    INVALID_REQUEST = "invalid_request"
    PROCESSING = "processing"
    UNKNOWN = "unknown"


FINAL_OUTCOMES = frozenset(
    {
        AttemptOutcome.SUCCEEDED,
        AttemptOutcome.DECLINED,
        AttemptOutcome.DID_NOT_HAPPEN,
        AttemptOutcome.INVALID_REQUEST,
    }
)


# Why nothing was sent although the provider takes it: its account is on the block list (duly.why_blocked), or a rule
# for unusual charges holds it. It waits until a person has decided.
HELD_CODES = frozenset({"account_blocked", "email_blocked", "held_by_rule"})


@dataclass(frozen=True)
class CollectRequest:
    """Make one attempt to collect what an account owes for a period."""

    account_id: str
    period: str
    provider: str
    run_id: str = ""
    attempt: int = 1
    cause: AttemptCause = AttemptCause.SCHEDULED
    card_id: str = ""


class CollectOutcome(StrEnum):
    """What one `collect` came to."""

    SETTLED = "settled"
    DECLINED = "declined"
    PROCESSING = "processing"
    UNKNOWN = "unknown"
    DID_NOT_HAPPEN = "did_not_happen"
    INVALID_REQUEST = "invalid_request"
    NOTHING_OWED = "nothing_owed"
    BELOW_MINIMUM = "below_minimum"
    NO_CARD = "no_card"
    PROVIDER_NOT_EFFECTIVE = "provider_not_effective"  # nothing new is asked of it for now
    CLOSED = "closed"
    NOT_ASKED = "not_asked"  # its run was paused or aborted before the attempt was written down


@dataclass(frozen=True)
class CollectResult:
    """The answer to a CollectRequest; amounts in minor units. The label is the card's brand and last four digits.

    `receivable` is what was collected where that has another name than was asked for. `next_part` is the receivable of
    what is left when one was paid that holds no more: its row is there, and its collection is to be started.
    After a decline, `other_card_ids` are the account's other cards that may be charged, in their order. When it blocked
    the card, `same_card_ids` are the account's other tokens of that card, which may be blocked with it. `took_ms` is
    how long the gateway took to answer, in milliseconds; 0 when it was not asked. `page_url`: the page on which the
    customer may still pay, until `page_ends_at` by the gateway's clock. `held_until`: when what a rule holds is judged
    anew by itself, since the time within which too much was charged is over.
    """

    outcome: CollectOutcome
    request_id: str = ""
    attempt: int = 0
    amount_minor: int = 0
    currency: str = ""
    gateway_reference: str = ""
    card_id: str = ""
    card_label: str = ""
    other_card_ids: tuple[str, ...] = ()
    code: str = ""
    decline_code: str = ""
    advice_code: str = ""
    same_card_ids: tuple[str, ...] = ()
    receivable: str = ""
    next_part: str = ""
    took_ms: int = 0
    page_url: str = ""
    page_ends_at: datetime | None = None
    held_until: datetime | None = None
