"""The sandbox itself: one clock, one set of faults and limits, and the state of each account."""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from sandbox.stripe.api.credentials import is_permitted
from sandbox.stripe.api.errors import invalid_key, missing_key, no_access, not_permitted
from sandbox.stripe.api.idempotency import IdempotencyKeys
from sandbox.stripe.api.limits import Limiter
from sandbox.stripe.control.faults import Faults
from sandbox.stripe.control.latency import Latencies
from sandbox.stripe.control.messages import STRIPES_DELAYS, AccountSettings, Delays
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.state.account_state import AccountState
from sandbox.stripe.state.clock import Clock
from sandbox.stripe.state.ids import APPLICATION, Ids
from sandbox.stripe.webhooks import Webhooks

DEFAULT_DELAYS = STRIPES_DELAYS


@dataclass(frozen=True)
class SandboxConfig:
    """The secret key it answers to, the secret its webhooks are signed with, and its delays from the start."""

    api_key: str = "sk_test_sandbox"
    webhook_secret: str = "whsec_sandbox"
    delays: Delays = DEFAULT_DELAYS


def _nowhere(_event: Json) -> None:
    """Stand in until the account that publishes exists."""


@dataclass
class Sandbox:
    """Everything there is; `reset` brings back the first moment except for the clock."""

    config: SandboxConfig
    base_url: str = "http://127.0.0.1"
    clock: Clock = field(default_factory=Clock)
    ids: Ids = field(default_factory=Ids)
    faults: Faults = field(default_factory=Faults)
    limiter: Limiter = field(default_factory=Limiter)
    latencies: Latencies = field(default_factory=Latencies)
    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    restricted: dict[str, frozenset[str]] = field(default_factory=dict)
    webhooks: Webhooks = field(init=False)
    platform: AccountState = field(init=False)
    connected: dict[str, AccountState] = field(init=False)
    keys: dict[str | None, IdempotencyKeys] = field(init=False)

    delays: Delays = field(init=False)
    settings: AccountSettings = field(init=False)

    def __post_init__(self) -> None:
        self.webhooks = Webhooks(self.clock, self.config.webhook_secret)
        self.reset()

    def reset(self) -> None:
        """Forgets objects, keys, faults, limits, counts and scripts; webhook endpoints stay."""
        self.clock.forget_due()
        self.delays, self.settings = self.config.delays, AccountSettings()
        self.connected = {}
        self.platform = self._new_account_state(None)
        self.keys = {None: IdempotencyKeys()}
        self.faults = Faults()
        self.limiter = Limiter()
        self.restricted = {}
        self.latencies = Latencies()
        self.webhooks.reset()
        self.requests.clear()
        self.statuses.clear()

    def connect(self, account: str) -> AccountState:
        """The state of a connected account, empty."""
        self.keys[account] = IdempotencyKeys()
        self.connected[account] = self._new_account_state(account)
        return self.connected[account]

    def disconnect(self, account: str) -> None:
        """The account lives on at Stripe, but the platform's key does not open it any more."""
        self.platform.accounts.get(account)
        state = self.connected[account]
        # The last that the platform hears of it; the account's pages can be paid on, and its debits settle.
        state.emit("account.application.deauthorized", {"id": APPLICATION, "object": "application", "name": "Sandbox"})
        state.is_shut_out = True

    def let_in(self, account: str) -> None:
        """The owner gives the platform its access back."""
        self.connected[account].is_shut_out = False

    def _new_account_state(self, account: str | None) -> AccountState:
        state = AccountState(clock=self.clock, ids=self.ids, publish=_nowhere, account=account, base_url=self.base_url)
        state.delays, state.settings = self.delays, self.settings
        state.publish = partial(self.webhooks.publish, state)
        if account is None:
            state.connect, state.connected_state = self.connect, self.connected.__getitem__
        else:
            state.platform = self.platform
        return state

    def begin_again(self, config: SandboxConfig) -> None:
        """Go on after a restart: the objects are those of before, everything else is this start's."""
        self.config = config
        self.webhooks.secret = config.webhook_secret
        self.webhooks.endpoints.clear()
        self.faults = Faults()
        self.limiter = Limiter()
        self.restricted = {}
        self.latencies = Latencies()

    def serve_at(self, base_url: str) -> None:
        """Tells where the hosted pages are."""
        self.base_url = base_url
        for state in self.account_states():
            state.base_url = base_url

    def set_delays(self, delays: Delays) -> None:
        self.delays = delays
        for state in self.account_states():
            state.delays = delays

    def set_settings(self, settings: AccountSettings) -> None:
        self.settings = settings
        for state in self.account_states():
            state.settings = settings

    def account_states(self) -> list[AccountState]:
        return [self.platform, *self.connected.values()]

    def check_permission(self, key: str | None, permission: str) -> None:
        """Refuse a restricted key what it may not do."""
        given = self.restricted.get(key or "")
        if given is not None and not is_permitted(permission, given):
            raise not_permitted(key or "", permission)

    def account_state_for(self, key: str | None, account: str | None) -> AccountState:
        """The state of the account that the key may see, or Stripe's 401 or 403."""
        if key is None:
            raise missing_key()
        if key != self.config.api_key and key not in self.restricted:
            raise invalid_key(key)
        if account is None:
            return self.platform
        state = self.connected.get(account)
        if state is None or state.is_shut_out:
            raise no_access(key, account)
        return state
