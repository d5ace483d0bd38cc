"""How the gateway knows what is ours: what every object says about itself, and which is evidence of an attempt."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# So long may a value of Stripe's metadata be (reference: metadata).
_VALUE_MAX = 500
_HASHED = re.compile(r"\d+ invoices, sha256 [0-9a-f]{64}")

ATTEMPT = "duly_attempt"
ACCOUNT = "duly_account"
INVOICES = "duly_invoices"
INSTALLATION = "duly_installation"
PERIOD = "duly_period"
REQUEST = "duly_request"


@dataclass(frozen=True)
class Identity:
    """Whose object it is, and what it was made for; a function of what the business knows, so a repeat says the same.

    `number` of the attempt is the last part of the key. `details` are further values, by their names at the gateway.
    """

    key: str
    request_id: str
    account_id: str
    installation: str = ""
    purpose: str = ""
    period: str = ""

    def metadata(self, **details: str) -> dict[str, str]:
        """Return what the gateway keeps with the object. What is empty is left out."""
        values = {
            INSTALLATION: self.installation,
            "duly_purpose": self.purpose,
            ACCOUNT: self.account_id,
            PERIOD: self.period,
            REQUEST: self.request_id,
            ATTEMPT: self.key,
            **{f"duly_{name}": value for name, value in details.items()},
        }
        return {name: value for name, value in values.items() if value}

    def is_attempt(self, metadata: Mapping[str, str]) -> bool:
        """Say whether an object was made under the attempt's own key."""
        return metadata.get(ATTEMPT) == self.key

    def is_receivable(self, metadata: Mapping[str, str]) -> bool:
        """Say whether an object is about what the attempt is about, under whichever key and channel it was made."""
        mine = {INSTALLATION: self.installation, ACCOUNT: self.account_id, PERIOD: self.period}
        return bool(self.installation and self.period) and all(metadata.get(name) == mine[name] for name in mine)


def named_invoices(numbers: Sequence[str]) -> str:
    """Return the numbers of invoices as one value; of more than fit, how many there are and a hash of them all."""
    named = " ".join(numbers)
    if len(named) <= _VALUE_MAX:
        return named
    return f"{len(numbers)} invoices, sha256 {hashlib.sha256(named.encode()).hexdigest()}"


def invoices_named(value: str) -> tuple[str, ...]:
    """Return the numbers that a value names; none where it has their hash alone."""
    return () if _HASHED.fullmatch(value) else tuple(value.split())
