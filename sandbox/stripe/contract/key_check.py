"""What is wrong with a key, said before anything is asked with it."""

from sandbox.stripe.contract.calls import Calls, NotAllowedError, Reply

HOW_TO = """Make an account at Stripe, open a sandbox or the test mode, copy the secret key (Developers, API keys), and:

    STRIPE_TEST_KEY=sk_test_... make contract
"""
_WRONG_KINDS = {
    (
        "sk_live_",
        "rk_live_",
    ): "is a LIVE key, of real cards and real money: nothing was sent. Take one of the test mode.",
    ("pk_",): "is a publishable key, which cannot ask for anything: take the secret key beside it (sk_test_...).",
    ("whsec_",): "is the secret of a webhook endpoint, not a key.",
}
# What the behaviours read and write; a restricted key must be allowed each of them.
_READ = ("balance", "balance_transactions", "charges", "events")
_WRITTEN = (
    "checkout/sessions",
    "customers",
    "payment_intents",
    "payment_methods",
    "refunds",
    "setup_intents",
    "webhook_endpoints",
)
# A parameter that no operation has: what gets as far as reading it was allowed, and nothing was made.
_UNKNOWN = {"duly_contract_asks": "whether this key may"}


class KeyRefusedError(RuntimeError):
    """Nothing can be asked with this key; the message says what to do."""


def check_form(key: str) -> None:
    """Refuse whatever is not a secret key of the test mode, before a request. Raises KeyRefusedError."""
    if not key:
        raise KeyRefusedError(f"STRIPE_TEST_KEY is not set. {HOW_TO}")
    for beginnings, why in _WRONG_KINDS.items():
        if key.startswith(beginnings):
            raise KeyRefusedError(f"STRIPE_TEST_KEY {why}")
    if not key.startswith(("sk_test_", "rk_test_")) or key != key.strip():
        raise KeyRefusedError(f"STRIPE_TEST_KEY is no key of the test mode (sk_test_...): nothing was sent. {HOW_TO}")


def check_with_stripe(calls: Calls) -> None:
    """Ask with the key once, and for a restricted one what it may do. Raises KeyRefusedError."""
    try:
        found = calls.get("/v1/balance")
    except NotAllowedError:
        found = None
    if found is not None and found.status != 200:
        raise KeyRefusedError(f"{calls.base_url} refuses the key ({found.status}): {_message(found)}. {HOW_TO}")
    if found is not None and found.body.get("livemode"):
        raise KeyRefusedError("The key opens a live account: nothing else was sent.")
    if calls.key.startswith("rk_") and (missing := _missing(calls)):
        lines = "\n".join(f"    {each}" for each in missing)
        raise KeyRefusedError(
            f"The restricted key lacks permissions; nothing was made. Give it these, or take the secret key:\n{lines}"
        )


def _missing(calls: Calls) -> list[str]:
    found = []
    for noun in _READ:
        try:
            calls.get(f"/v1/{noun}", **{} if noun == "balance" else {"limit": 1})
        except NotAllowedError as error:
            found.append(f"read {noun}: {error}")
    for noun in _WRITTEN:
        try:
            calls.post(f"/v1/{noun}", dict(_UNKNOWN))
        except NotAllowedError as error:
            found.append(f"write {noun}: {error}")
    return found


def _message(reply: Reply) -> str:
    return str(reply.body.get("error", {}).get("message", "no reason")).rstrip(".")
