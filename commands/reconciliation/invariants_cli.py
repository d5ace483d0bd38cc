"""`invariants`: whether every rule of the ledger holds."""

from commands.options import Json
from commands.runner import perform


def invariants(as_json: Json = False) -> None:
    """Check every rule of the ledger against all that was posted, and name what breaks one, with its id.

    It reads the whole ledger. A schedule does the same every night, and seals what was posted.
    """
    from commands.reconciliation.invariants import check

    perform(check, as_json=as_json)
