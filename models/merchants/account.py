"""A merchant's own account at the gateway: what the gateway says of it, and where it stands by that (P8 to P10)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Protocol


class ConnectionState(StrEnum):
    """Where a merchant's connection stands.

    `pending`: its owner is at the gateway's pages, or the gateway is checking. `incomplete`: the owner has to bring
    something. `successful`: it is paid. `restricted`: the gateway, or whoever it names, has to act. `disconnected`: a
    person has ended it, or its owner has shut us out.
    """

    PENDING = "pending"
    INCOMPLETE = "incomplete"
    SUCCESSFUL = "successful"
    RESTRICTED = "restricted"
    DISCONNECTED = "disconnected"


class Flow(StrEnum):
    """How a merchant is paid, for good: its account is made for it.

    `direct`: its customers pay on its account. `destination`: they pay the platform, which passes it on.
    """

    DIRECT = "direct"
    DESTINATION = "destination"


class Capability(StrEnum):
    """Whether an account may take payments, or transfers; `absent`: nobody has asked for it, as on accounts of old."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    PENDING = "pending"
    UNREQUESTED = "unrequested"
    ABSENT = "absent"


# Reasons for which the gateway lets nobody charge, whatever an owner brings: it, its platform, or nobody can help.
_HELD_BY_GATEWAY = frozenset({"listed", "under_review", "platform_paused", "other"})
_WANTS_SOMETHING = frozenset({"requirements.past_due", "action_required.requested_capabilities"})
_IS_CHECKED = "requirements.pending_verification"
_REJECTED = "rejected."

# Why a connection is over where no person ended it: the gateway does not let us see the account.
SHUT_OUT = "shut_out"
# The gateway lets nobody charge, and says nothing that an owner could do.
UNEXPLAINED = "unexplained"


@dataclass(frozen=True)
class AccountFacts:
    """What the gateway says of a connected account; the names are its own.

    `due_at`: when what is missing by then stops payments. `problems`: what was wrong with what was brought, in the
    gateway's words.
    """

    gateway_account: str
    email: str
    charges_enabled: bool
    details_submitted: bool
    payouts_enabled: bool
    disabled_reason: str
    capability: Capability
    transfers: Capability = Capability.ABSENT
    currently_due: tuple[str, ...] = ()
    past_due: tuple[str, ...] = ()
    pending_verification: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    due_at: datetime | None = None

    def capability_of(self, flow: Flow) -> Capability:
        """Return the capability by which an account is paid."""
        return self.transfers if flow is Flow.DESTINATION else self.capability

    def may_be_paid(self, flow: Flow) -> bool:
        """Say whether direct charges, or transfers, are taken.

        Accounts of old have no capability, and charge all the same.
        """
        if flow is Flow.DESTINATION:
            return self.transfers is Capability.ACTIVE
        is_active = self.capability is Capability.ACTIVE or self.capability is Capability.ABSENT
        return self.charges_enabled and is_active


@dataclass(frozen=True)
class Standing:
    """Where a connection stands: the state, the gateway's reason, and what its owner has to bring."""

    state: ConnectionState
    reason: str = ""
    missing: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    due_at: datetime | None = None
    is_paid_out: bool = False


def standing_of(facts: AccountFacts, *, has_returned: bool, flow: Flow = Flow.DIRECT) -> Standing:
    """Say where an account stands; of these rules the first that fits. `has_returned`: its owner left the pages.

    A new account lacks everything before anybody was asked, which is why who has not been through the pages is pending.
    """
    reason = facts.disabled_reason
    missing = tuple(dict.fromkeys((*facts.past_due, *facts.currently_due)))

    def standing(state: ConnectionState, why: str = reason) -> Standing:
        return Standing(state, why, missing, facts.problems, facts.due_at, facts.payouts_enabled)

    if reason.startswith(_REJECTED):
        return standing(ConnectionState.RESTRICTED)
    if not facts.details_submitted:
        return standing(ConnectionState.INCOMPLETE if has_returned else ConnectionState.PENDING)
    if facts.may_be_paid(flow):
        return standing(ConnectionState.SUCCESSFUL)
    if reason in _HELD_BY_GATEWAY:
        return standing(ConnectionState.RESTRICTED)
    if missing or reason in _WANTS_SOMETHING:
        return standing(ConnectionState.INCOMPLETE)
    if facts.pending_verification or facts.capability_of(flow) is Capability.PENDING or reason == _IS_CHECKED:
        return standing(ConnectionState.PENDING)
    return standing(ConnectionState.RESTRICTED, reason or UNEXPLAINED)


def is_rejected(reason: str) -> bool:
    """Say whether the gateway has turned an account down for good."""
    return reason.startswith(_REJECTED)


@dataclass(frozen=True)
class NewAccount:
    """An account to be made at the gateway for a merchant, in the currency in which it is paid.

    Its colours, as #rrggbb, are what its pages begin with; its owner may change them there.
    """

    merchant_id: str
    email: str
    country: str
    currency: str
    installation: str
    color: str = ""
    background_color: str = ""
    flow: Flow = Flow.DIRECT

    def key_of(self, generation: int) -> str:
        """Return the idempotency key of a generation's account, with its colours: they may change before it is made.

        All else is fixed for a generation. A repeat under a key with other parameters is an idempotency_error.
        """
        colors = "/".join(filter(None, (self.color, self.background_color)))
        branded = f"/{sha256(colors.encode()).hexdigest()[:12]}" if colors else ""
        return f"{self.installation}/merchant/{self.merchant_id}/{generation}{branded}"


@dataclass(frozen=True)
class MadeAccount:
    """An account that an installation has made at the gateway for a merchant, as the gateway keeps it."""

    gateway_account: str
    merchant_id: str
    email: str
    country: str
    currency: str
    made_at: datetime

    def fits(self, new: NewAccount) -> bool:
        """Say whether it is what an account is to be made of: for the same merchant, owner and country."""
        mine = (self.merchant_id, self.email.casefold(), self.country)
        return mine == (new.merchant_id, new.email.casefold(), new.country)


class MerchantAccounts(Protocol):
    """The part of a gateway that knows merchants' own accounts."""

    async def create_account(self, new: NewAccount, *, idempotency_key: str) -> str:
        """Make an account that its owner has to complete, and return its reference."""
        ...

    async def accounts_made(self, installation: str, since: datetime | None = None) -> list[MadeAccount]:
        """Return the accounts that an installation has made, since a moment or ever, the newest first."""
        ...

    async def read_account(self, gateway_account: str) -> AccountFacts | None:
        """Read an account; None when the gateway does not let us see it."""
        ...

    async def onboarding_page(self, gateway_account: str, *, return_url: str, refresh_url: str) -> str:
        """Make a page of the gateway's on which the owner completes the account: it works once, for minutes."""
        ...
