"""A merchant's connection: what is asked of its workflow, and what it answers (P4, P8 to P12)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.merchants.account import ConnectionState, Flow, is_rejected
from models.operator_command import CommandError
from models.problem import refuse_unless
from models.waiting import NOTHING_PENDING, WaiterSnapshot

EMAIL_MAX = 254

# How long until an account is read again by itself, for events get lost: while its owner is busy with it, and later.
CHECKS_WHILE_OPEN = timedelta(hours=1)
CHECKS_LATER = timedelta(days=1)
# After so many looks of the first kind its owner has other things to do.
FREQUENT_CHECKS = 48

# The stage before an account was made.
CONNECTING = "connecting"


class InvalidConnectionError(ValueError):
    """Terms of a connection that break a rule; the message opens with the field."""


@dataclass(frozen=True)
class ConnectionTerms:
    """How a merchant is connected: the owner's e-mail and country, or, to go on as before, the account's id.

    With `gateway_account` the merchant reconnects: the id must be that of its account, and the e-mail what the gateway
    knows of it. `is_new_account`: a merchant that was disconnected gets another account instead.
    """

    email: str
    country: str = ""
    gateway_account: str = ""
    is_new_account: bool = False
    actor: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse what no account can be made of. Raises InvalidConnectionError."""
        error = InvalidConnectionError
        is_address = self.email.isascii() and self.email.isprintable() and "@" in self.email[1:-1]
        refuse_unless(is_address and " " not in self.email, error, "email: is no e-mail address")
        refuse_unless(len(self.email) <= EMAIL_MAX, error, f"email: at most {EMAIL_MAX} characters")
        is_one = not (self.country and self.gateway_account)
        refuse_unless(is_one, error, "gateway_account: goes on in its country; a new account has one, and no id yet")
        refuse_unless(bool(self.country or self.gateway_account), error, "country: say where its business is")
        refuse_unless(
            not (self.gateway_account and self.is_new_account), error, "is_new_account: says another thing than the id"
        )


@dataclass(frozen=True)
class MerchantConnectionInput:
    """See a merchant's connection through. Without terms it is one that was begun before."""

    merchant_id: str
    provider: str = "stripe"
    terms: ConnectionTerms | None = None
    resumed: "MerchantConnectionSnapshot | None" = None


@dataclass(frozen=True)
class StoredConnection:
    """A connection as it is stored; `link_token` is the secret end of the link to its page."""

    merchant_id: str
    provider: str
    generation: int
    gateway_account: str
    email: str
    country: str
    currency: str
    name: str
    installation: str
    state: ConnectionState
    reason: str
    missing: tuple[str, ...]
    problems: tuple[str, ...]
    due_at: datetime | None
    has_returned: bool
    is_paid_out: bool
    takes_payments: bool
    link_token: str
    flow: Flow = Flow.DIRECT


@dataclass(frozen=True)
class ReconnectRequest:
    """Let an account go on, once the gateway has said that it is the merchant's."""

    merchant_id: str
    provider: str
    terms: ConnectionTerms


@dataclass(frozen=True)
class Disconnection:
    """Disconnect a merchant, in whose name and why."""

    merchant_id: str
    actor: str
    because: str


@dataclass(frozen=True)
class ConnectionLink:
    """The answer to whoever connects a merchant: where its owner goes on, as the end of an address."""

    merchant_id: str
    state: ConnectionState
    gateway_account: str
    path: str


@dataclass(frozen=True)
class MerchantConnectionSnapshot:
    """What a connection's workflow carries from one execution to the next."""

    checks: int = 0
    waiter: WaiterSnapshot = NOTHING_PENDING


@dataclass(frozen=True)
class MerchantConnectionStatus:
    """The answer to the query `status`. `stage` is the state, or `connecting` before there is an account."""

    stage: str
    gateway_account: str
    reason: str
    missing: tuple[str, ...]
    due_at: datetime | None
    next_action: str
    next_action_at: datetime | None
    history: tuple[str, ...]
    is_in_review: bool = False
    review_reason: str = ""


@dataclass(frozen=True)
class MerchantConnectionResult:
    """How a connection ended: `by_a_person`, or `shut_out` by its owner."""

    merchant_id: str
    gateway_account: str
    reason: str


def link_of(connection: StoredConnection) -> ConnectionLink:
    """Return what whoever connects a merchant is told."""
    return ConnectionLink(
        connection.merchant_id, connection.state, connection.gateway_account, connect_path(connection.link_token)
    )


def connect_path(token: str) -> str:
    """Return the path of a merchant's page; it follows the receiver's public address."""
    return f"/connect/{token}"


def until_next_check(connection: StoredConnection, checks: int) -> timedelta:
    """Return how long an account is left alone unless an event tells of it."""
    is_settled = connection.state is ConnectionState.SUCCESSFUL or checks >= FREQUENT_CHECKS
    return CHECKS_LATER if is_settled else CHECKS_WHILE_OPEN


def require_page(connection: StoredConnection) -> None:
    """Raise CommandError unless its owner can do something on the gateway's page."""
    if not connection.gateway_account:
        raise CommandError("state: the account is being made at the gateway")
    is_open = connection.state is not ConnectionState.DISCONNECTED
    refuse_unless(is_open, CommandError, "state: the merchant is disconnected: `merchants reconnect`")
    refuse_unless(
        not is_rejected(connection.reason), CommandError, f"state: the gateway has turned it down: {connection.reason}"
    )
