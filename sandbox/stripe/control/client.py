"""A typed client of the sandbox's controls: time, faults, scripts, limits, webhooks, and the money that moved."""

import ssl
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter

from sandbox.stripe.control.messages import (
    AT_ONCE,
    STRIPES_DELAYS,
    AccountReview,
    AccountSettings,
    Answer,
    CardOutcome,
    CardScript,
    ClockChange,
    Delays,
    DisputeScript,
    EventFault,
    EventFaultKind,
    Fault,
    FaultKind,
    Latency,
    MovementReport,
    RateLimits,
    RefundScript,
    RestrictedKey,
    WebhookEndpoint,
)

__all__ = [
    "AT_ONCE",
    "STRIPES_DELAYS",
    "AccountReview",
    "AccountSettings",
    "Answer",
    "CardOutcome",
    "ControlError",
    "Delays",
    "DisputeScript",
    "EventFault",
    "EventFaultKind",
    "Fault",
    "FaultKind",
    "Latency",
    "RateLimits",
    "RefundScript",
    "RestrictedKey",
    "SandboxControl",
    "WebhookEndpoint",
]

Json = dict[str, Any]
AnyModel = TypeVar("AnyModel", bound=BaseModel)
TIMEOUT_SECONDS = 30.0

# It speaks plain HTTP, so no certificate authorities are read: that takes longer than most calls.
_NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class ControlError(RuntimeError):
    """The sandbox refused a control; the message names field and rule."""


class SandboxControl:
    """Controls the sandbox at `base_url`.

    It blocks for a loopback round trip; the sandbox lives in another thread or process, so async code may call it.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._client = httpx.Client(
            base_url=f"{self.base_url}/_sandbox/", timeout=TIMEOUT_SECONDS, trust_env=False, verify=_NO_AUTHORITIES
        )

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def now(self) -> float:
        """The sandbox's time in Unix seconds."""
        return float(self._call("GET", "clock")["now"])

    def advance(self, seconds: float) -> float:
        """Moves the clock forward and does what became due; gives the new time."""
        return float(self._call("POST", "clock", ClockChange(advance=seconds))["now"])

    def set_clock(self, at: float) -> float:
        """Moves the clock forward to a Unix time; an earlier one is refused."""
        return float(self._call("POST", "clock", ClockChange(set=at))["now"])

    def begin_again(self) -> None:
        """Forgets everything but the webhook endpoints, and goes back to the real time."""
        self._call("DELETE", "clock")

    def reset(self) -> None:
        """Forgets everything but the clock and the webhook endpoints."""
        self._call("POST", "reset")

    def add_fault(self, fault: Fault) -> None:
        """Plans that requests go wrong; of several plans the first that applies is injected."""
        self._call("POST", "faults", fault)

    def mixed_faults(
        self, probability: float, *, seed: int = 0, operation: str = "*", delay_seconds: float = 1.0
    ) -> None:
        """Lets requests go wrong in every way there is, with this probability."""
        self.add_fault(Fault(operation=operation, probability=probability, seed=seed, delay_seconds=delay_seconds))

    def clear_faults(self) -> None:
        """Forgets the plan for requests."""
        self._call("DELETE", "faults")

    def faults_injected(self) -> dict[FaultKind, int]:
        """How often each kind of fault was injected."""
        return TypeAdapter(dict[FaultKind, int]).validate_python(self._call("GET", "faults")["injected"])

    def add_event_fault(self, fault: EventFault) -> None:
        """Plans that webhooks go wrong."""
        self._call("POST", "event_faults", fault)

    def mixed_event_faults(self, probability: float, *, seed: int = 0, delay_seconds: float = 1.0) -> None:
        """Lets webhooks go wrong in every way there is, with this probability."""
        self.add_event_fault(EventFault(probability=probability, seed=seed, delay_seconds=delay_seconds))

    def clear_event_faults(self) -> None:
        """Forgets the plan for webhooks."""
        self._call("DELETE", "event_faults")

    def event_faults_injected(self) -> dict[EventFaultKind, int]:
        """How often each kind of event fault was injected."""
        return TypeAdapter(dict[EventFaultKind, int]).validate_python(self._call("GET", "event_faults")["injected"])

    def set_rate_limits(self, limits: RateLimits) -> None:
        """Replaces the limits; `RateLimits()` lifts them all."""
        self._call("POST", "rate_limits", limits)

    def set_latency(self, latency: Latency) -> None:
        """How long answers take from now on; `Latency()` lets them come at once."""
        self._call("POST", "latency", latency)

    def set_delays(self, delays: Delays) -> None:
        """How much later Stripe does what it does later."""
        self._call("POST", "delays", delays)

    def set_account_settings(self, settings: AccountSettings) -> None:
        """How the accounts are paid out: settlement currency, rates, refunds beyond the balance."""
        self._call("POST", "account_settings", settings)

    def add_restricted_key(self, key: RestrictedKey) -> None:
        """Lets a key in beside the secret one, for what it is permitted."""
        self._call("POST", "restricted_keys", key)

    def add_webhook_endpoint(self, endpoint: WebhookEndpoint) -> None:
        """Sends events there from now on."""
        self._call("POST", "webhook_endpoints", endpoint)

    def clear_webhook_endpoints(self) -> None:
        """Sends events nowhere."""
        self._call("DELETE", "webhook_endpoints")

    def settle_webhooks(self) -> dict[str, int]:
        """Waits until every delivery has arrived or been given up; gives the counts of both."""
        return TypeAdapter(dict[str, int]).validate_python(self._call("GET", "webhooks", settle="1"))

    def request_counts(self) -> dict[str, int]:
        """Requests by operation (`POST /v1/payment_intents`), refused and lost ones included."""
        return TypeAdapter(dict[str, int]).validate_python(self._call("GET", "requests")["requests"])

    def status_counts(self) -> dict[int, int]:
        """Answers by HTTP status."""
        return TypeAdapter(dict[int, int]).validate_python(self._call("GET", "requests")["statuses"])

    def movements(
        self, *, group_by: tuple[str, ...] = (), metadata: dict[str, str] | None = None, account: str | None = None
    ) -> MovementReport:
        """What really moved, by metadata keys, for the charges whose metadata has what is given."""
        query: dict[str, Any] = {f"metadata.{name}": value for name, value in (metadata or {}).items()}
        if group_by:
            query["key"] = list(group_by)
        if account is not None:
            query["account"] = account
        return MovementReport.model_validate(self._call("GET", "movements", **query))

    def script_card(
        self, payment_method: str, *outcomes: CardOutcome, repeat_last: bool = False, account: str | None = None
    ) -> None:
        """The card's next answers, one for each charge or set-up; then it is its old self or repeats the last.

        The name of a test card stands for the next payment method that is made of it, on a page for example.
        """
        script = CardScript(outcomes=outcomes, repeat_last=repeat_last)
        self._call("POST", f"cards/{payment_method}/script", script, account=account)

    def automatically_update_card(self, payment_method: str) -> Json:
        """The network reissues the card; gives the payment method as it is now."""
        return self._call("POST", f"cards/{payment_method}/update")

    def detach(self, payment_method: str) -> Json:
        """Somebody removes the card from its customer at Stripe."""
        return self._call("POST", f"cards/{payment_method}/detach")

    def revoke_mandate(self, mandate: str) -> Json:
        """The customer takes back the leave to charge."""
        return self._call("POST", f"mandates/{mandate}/revoke")

    def disconnect(self, account: str) -> None:
        """The owner of a connected account takes the platform's access away."""
        self._call("POST", f"accounts/{account}/disconnect")

    def let_in(self, account: str) -> None:
        """The owner of a connected account gives the platform its access back."""
        self._call("POST", f"accounts/{account}/let_in")

    def review_account(self, account: str, review: AccountReview) -> Json:
        """Stripe, or its owner, changes where a connected account stands; gives the account."""
        return self._call("POST", f"accounts/{account}/review", review)

    def create_dispute(self, charge: str, script: DisputeScript | None = None, *, account: str | None = None) -> Json:
        """The cardholder disputes the charge, of a connected account or of the platform's; gives the dispute."""
        return self._call("POST", f"charges/{charge}/dispute", script or DisputeScript(), account=account)

    def close_dispute(self, dispute: str, *, won: bool, reinstated: int = 0, account: str | None = None) -> Json:
        """The bank's last word on a dispute or inquiry. One that is lost may bring a part of the money back."""
        return self._call(
            "POST", f"disputes/{dispute}/{'won' if won else 'lost'}", reinstated=reinstated, account=account
        )

    def overturn_dispute(self, dispute: str) -> Json:
        """The bank gives back what was lost."""
        return self._call("POST", f"disputes/{dispute}/overturn")

    def escalate_inquiry(self, dispute: str) -> Json:
        """An inquiry becomes a chargeback."""
        return self._call("POST", f"disputes/{dispute}/escalate")

    def fail_refund(self, refund: str, reason: str = "expired_or_canceled_card") -> Json:
        """The bank sends a refund back, even one that had succeeded."""
        return self._call("POST", f"refunds/{refund}/fail", reason=reason)

    def succeed_refund(self, refund: str) -> Json:
        """A refund that waited goes through."""
        return self._call("POST", f"refunds/{refund}/succeed")

    def pay_out(self, account: str | None = None) -> list[Json]:
        """Pays out what is available, as the account's schedule would; gives the payouts, one a currency."""
        payouts: list[Json] = self._call("POST", "payouts", account=account)["payouts"]
        return payouts

    def complete_payout(self, payout: str) -> Json:
        """A payout arrives, as far as Stripe knows."""
        return self._call("POST", f"payouts/{payout}/arrive")

    def fail_payout(self, payout: str) -> Json:
        """The bank sends a payout back, even one that had arrived."""
        return self._call("POST", f"payouts/{payout}/fail")

    def _call(self, method: str, path: str, body: BaseModel | None = None, **query: Any) -> Json:
        content = body.model_dump_json() if body is not None else None
        given = {name: value for name, value in query.items() if value is not None}
        answer = self._client.request(method, path, content=content, params=given or None)
        if answer.status_code != 200:
            raise ControlError(answer.text)
        decoded: Json = answer.json()
        return decoded
