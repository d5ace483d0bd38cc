"""A voucher's states, and its code: what it looks like, and the hash by which it is known."""

from enum import StrEnum
from hashlib import sha256

# Without letters that are read as digits: I, L, O and U.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH, GROUP_LENGTH = 20, 4
# As many codes are written, shown and locked at once.
MOST_IN_BATCH = 10_000
_READ_AS = str.maketrans("ILO", "110", "- ")


class VoucherState(StrEnum):
    """What has become of a voucher."""

    ISSUED = "issued"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


def hash_of_code(code: str) -> str:
    """Return the hash that is kept of a code; case, spaces and dashes do not count, nor do I, L and O for 1, 1 and 0.

    A code is 100 random bits: there is nothing to be guessed, so that a plain hash is as good as a slow or a keyed one.
    """
    return sha256(code.upper().translate(_READ_AS).encode()).hexdigest()
