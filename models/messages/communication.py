"""Communications (F140, F141): templates whose tags, written #{tag}, are replaced by what a record says."""

import re
from collections.abc import Collection
from enum import StrEnum
from types import MappingProxyType

TAG = re.compile(r"#\{([^{}]*)\}")
_OPEN = "#{"
SUBJECT_LENGTH, TEXT_LENGTH = 200, 4000


class About(StrEnum):
    """What a template or a segment is about."""

    ACCOUNTS = "accounts"
    TRANSACTIONS = "transactions"


_OF_ACCOUNTS = frozenset(
    {"name", "sender", "account", "reference", "portal", "currency", "balance", "owed", "credit", "overdue"}
    | {"overdue_days"}
)

# Of transactions those of their account too, as things are when the message is sent.
COMMUNICATION_TAGS = MappingProxyType(
    {
        About.ACCOUNTS: _OF_ACCOUNTS,
        About.TRANSACTIONS: _OF_ACCOUNTS
        | {"number", "type", "state", "amount", "net", "tax", "discount", "open", "posted_on", "issued_on", "due_on"}
        | {"days_overdue", "method", "payment_reference", "invoices"},
    }
)


def tags_of(text: str) -> frozenset[str]:
    """Return the tags that a text uses."""
    return frozenset(TAG.findall(text))


def require_known_tags(text: str, about: About) -> None:
    """Raise ValueError for a tag that there is not, or one that does not end."""
    known = COMMUNICATION_TAGS[about]
    if unknown := sorted(tags_of(text) - known):
        raise ValueError(f"#{{{unknown[0]}}} is no tag of {about}; there are {_listed(known)}")
    if _OPEN in TAG.sub("", text):
        raise ValueError("a tag is written #{tag}; one of them does not end")


def _listed(tags: Collection[str]) -> str:
    return ", ".join(sorted(tags))
