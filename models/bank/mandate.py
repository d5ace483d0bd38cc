"""A payer's permission to debit a bank account (SEPA Direct Debit Core Rulebook 2023, sections 4.1 and 4.6)."""

import re
from enum import StrEnum

# 4.6.4: the reference is up to 35 characters of the SEPA set, neither begins nor ends with a slash, and has no two.
_REFERENCE = re.compile(r"(?!/)(?!.*//)(?!.*/$)[A-Za-z0-9+?/:().,'-]{1,35}")


class MandateState(StrEnum):
    """Where a mandate stands. It may be debited while it is signed or active."""

    CREATED = "created"  # given to the payer, who has not signed it
    SIGNED = "signed"  # the next debit is the first
    ACTIVE = "active"
    SUSPENDED = "suspended"  # the payer's bank says that it is good for nothing now
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # nothing was collected for 36 months


def reference_is_written_well(reference: str) -> bool:
    """Say whether a text may be a mandate's unique reference."""
    return bool(_REFERENCE.fullmatch(reference))
