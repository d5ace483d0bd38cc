"""What the card networks tell Stripe: a card was reissued."""

from sandbox.stripe.jsontypes import Json
from sandbox.stripe.state.account_state import AccountState


def replace(state: AccountState, id: str) -> Json:
    """The issuer sent a new card for the same account: it lasts three more years, ends differently, and is good."""
    method = state.payment_methods.get(id)
    before = method["card"]
    last4 = f"{(int(before['last4']) + 1) % 10_000:04d}"
    method["card"] = before | {
        "exp_year": before["exp_year"] + 3,
        "fingerprint": f"{before['fingerprint'][:12]}{last4}",
        "last4": last4,
    }
    state.scripts.pop(id, None)
    previous = {"card": {name: before[name] for name in ("exp_year", "fingerprint", "last4")}}
    state.emit("payment_method.automatically_updated", method, previous)
    return method
