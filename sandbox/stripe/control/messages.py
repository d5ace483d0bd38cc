"""The words of the sandbox's own controls, shared by the server and its client: what to answer, break or slow."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Model(BaseModel):
    """Frozen, and strict about names so that a misspelt control is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(StrEnum):
    """What the issuer does with one attempt on a card."""

    SUCCEED = "succeed"
    DECLINE = "decline"
    AUTHENTICATE = "authenticate"
    PROCESS = "process"


class RefundScript(StrEnum):
    """What becomes of a refund of the charge."""

    SUCCEED = "succeed"
    PEND = "pend"
    FAIL = "fail"
    REQUIRE_ACTION = "require_action"


class DisputeScript(Model):
    """A dispute that the cardholder opens; without an amount it is about all that is left of the charge."""

    reason: str = "fraudulent"
    amount: int | None = Field(default=None, gt=0)
    is_inquiry: bool = False


class CardOutcome(Model):
    """The answer to one charge or set-up of a card.

    With `is_blocked` Stripe itself declines, by Radar, and never asks the issuer. `process` answers `processing`
    first and `then` after `after_seconds` of the sandbox's clock. `dispute` and `refund` say what later becomes of
    the charge.
    """

    answer: Answer = Answer.SUCCEED
    code: str = "card_declined"
    decline_code: str | None = "generic_decline"
    advice_code: str | None = None
    network_advice_code: str | None = None
    network_decline_code: str | None = None
    message: str | None = None
    is_blocked: bool = False
    then: Answer = Answer.SUCCEED
    after_seconds: float = Field(default=1.0, ge=0)
    dispute: DisputeScript | None = None
    refund: RefundScript = RefundScript.SUCCEED


class CardScript(Model):
    """Answers given in turn; afterwards the card behaves as before, or for ever as its last answer."""

    outcomes: tuple[CardOutcome, ...] = Field(min_length=1)
    repeat_last: bool = False


class FaultKind(StrEnum):
    """The ways in which a request can go wrong."""

    REQUEST_LOST = "request_lost"
    RESPONSE_LOST = "response_lost"
    RESET_MID_BODY = "reset_mid_body"
    STORED_500 = "stored_500"
    STORED_500_AFTER_EFFECT = "stored_500_after_effect"
    SERVER_ERROR_500 = "server_error_500"
    UNAVAILABLE_503 = "unavailable_503"
    RATE_LIMIT = "rate_limit"
    LOCK_TIMEOUT = "lock_timeout"
    CONFLICT = "conflict"
    SLOW_ANSWER = "slow_answer"
    SLOW_EFFECT = "slow_effect"


class Fault(Model):
    """When a request goes wrong, and how.

    `operation` is `METHOD /template`, `METHOD *` or `*`. Without `kind` any kind that fits the operation is drawn
    (the mixed profile). It is injected on the `calls` listed (the n-th matching call, from 1), or else with
    `probability`, drawn from `seed` and the request itself so that the interleaving of requests changes nothing.
    """

    operation: str = "*"
    kind: FaultKind | None = None
    calls: tuple[int, ...] = ()
    probability: float = Field(default=1.0, ge=0, le=1)
    seed: int = 0
    metadata: dict[str, str] = {}
    times: int | None = Field(default=None, gt=0)
    delay_seconds: float = Field(default=1.0, ge=0)


class EventFaultKind(StrEnum):
    """The ways in which a webhook can go wrong; the event list always has the event."""

    LOST = "lost"
    DELAYED = "delayed"
    DUPLICATED = "duplicated"
    REORDERED = "reordered"


class EventFault(Model):
    """When an event's delivery goes wrong: by type (`*` matches any, `charge.*` a family), as faults do."""

    type: str = "*"
    kind: EventFaultKind | None = None
    calls: tuple[int, ...] = ()
    probability: float = Field(default=1.0, ge=0, le=1)
    seed: int = 0
    delay_seconds: float = Field(default=1.0, ge=0)
    copies: int = Field(default=2, ge=2)


class RateLimits(Model):
    """Requests per second in total and per endpoint; None is no limit, the burst is one second's worth."""

    total: float | None = Field(default=None, gt=0)
    per_endpoint: float | None = Field(default=None, gt=0)
    endpoints: dict[str, float] = {}


class Latency(Model):
    """How long an answer takes: lognormal, by its median and its 99th percentile, in seconds of the wall clock.

    At a median of 0 every answer comes at once; with both the same, all take as long.
    """

    median_seconds: float = Field(default=0, ge=0, allow_inf_nan=False)
    percentile_99_seconds: float = Field(default=0, ge=0, allow_inf_nan=False)
    seed: int = 0

    @model_validator(mode="after")
    def _is_in_order(self) -> "Latency":
        if self.percentile_99_seconds < self.median_seconds:
            raise ValueError("percentile_99_seconds must not be below median_seconds")
        return self


class Delays(Model):
    """Seconds of the sandbox's clock until what Stripe does later happens.

    `balance_transaction` is for charges that are captured asynchronously (`automatic_async`, the default), `withdrawal`
    for the money of a dispute that is open.
    """

    balance_transaction: float = Field(default=3, ge=0)
    dispute: float = Field(default=0, ge=0)
    withdrawal: float = Field(default=3, ge=0)
    refund: float = Field(default=1, ge=0)
    funds: float = Field(default=2 * 86_400, ge=0)
    payout: float = Field(default=2 * 86_400, ge=0)


STRIPES_DELAYS = Delays()
AT_ONCE = Delays(balance_transaction=0, withdrawal=0)


class AccountSettings(Model):
    """How the account is paid out, which at Stripe hangs on its country and bank.

    With a settlement currency every movement in another currency is converted at the rate given for it. With
    `refunds_need_balance` a refund beyond the balance waits, unbooked, until there is enough. Without
    `honours_idempotency_keys` every repeat is a new request, which no account of Stripe's does: a control, for whoever
    must notice what it doubles; and `books_off_by` minor units too much in every balance transaction are another one.
    Without `is_platform` the account has not signed up for Connect.
    """

    settlement_currency: str | None = None
    exchange_rates: dict[str, float] = {}
    refunds_need_balance: bool = False
    honours_idempotency_keys: bool = True
    books_off_by: int = 0
    is_platform: bool = True

    @model_validator(mode="after")
    def _has_rates(self) -> "AccountSettings":
        if any(rate <= 0 for rate in self.exchange_rates.values()):
            raise ValueError("exchange_rates must be above 0")
        return self


class WebhookEndpoint(Model):
    """Where signed events go: an HTTP address, its secret and the types it takes (`*` for all)."""

    url: str
    secret: str | None = None
    enabled_events: tuple[str, ...] = ("*",)


class AccountReview(Model):
    """Where a connected account stands from now on; what is not given stays as it is.

    `capability` is the status of every capability that was asked for. A `disabled_reason` that is empty is none.
    """

    charges_enabled: bool | None = None
    payouts_enabled: bool | None = None
    details_submitted: bool | None = None
    email: str | None = None
    capability: str = ""
    disabled_reason: str | None = None
    currently_due: tuple[str, ...] | None = None
    past_due: tuple[str, ...] | None = None
    pending_verification: tuple[str, ...] | None = None
    errors: tuple[dict[str, str], ...] | None = None
    current_deadline: int | None = None


class RestrictedKey(Model):
    """A key that may do no more than its permissions say, by Stripe's names (`rak_charge_read`, `rak_refund_write`)."""

    key: str = Field(pattern="^rk_test_.")
    permissions: tuple[str, ...] = ()


class ClockChange(Model):
    """Moves the clock forward by seconds, or to a Unix time."""

    advance: float | None = Field(default=None, ge=0)
    set: float | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "ClockChange":
        if (self.advance is None) == (self.set is None):
            raise ValueError("give either advance or set")
        return self


class Sum(Model):
    """How many movements there were and what they come to, in minor units."""

    count: int = 0
    amount_minor: int = 0


class MovementGroup(Model):
    """What really moved for one value of a metadata key, in one currency."""

    metadata: dict[str, str]
    currency: str
    charges: Sum
    refunds: Sum
    refund_failures: Sum
    disputes: Sum
    dispute_reversals: Sum
    charge_ids: tuple[str, ...]
    payment_intent_ids: tuple[str, ...]
    refund_ids: tuple[str, ...]
    dispute_ids: tuple[str, ...]

    @property
    def held_minor(self) -> int:
        """What the merchant has of it now, before fees."""
        returned = self.refunds.amount_minor + self.disputes.amount_minor
        restored = self.refund_failures.amount_minor + self.dispute_reversals.amount_minor
        return self.charges.amount_minor - returned + restored


class CurrencyTotal(Model):
    """Everything that moved in one currency; `balance_minor` is what Stripe holds, after fees."""

    currency: str
    charges: Sum
    refunds: Sum
    refund_failures: Sum
    disputes: Sum
    dispute_reversals: Sum
    fees_minor: int
    balance_minor: int


class MovementReport(Model):
    """The truth about the money, from its movements and not from the answers that were sent."""

    groups: tuple[MovementGroup, ...]
    totals: tuple[CurrencyTotal, ...]
    requests: dict[str, int]
