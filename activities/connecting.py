"""Why no connection to the database came about: nobody answers, or somebody does and one of our settings is wrong."""

import re
from datetime import UTC, datetime
from enum import StrEnum

from psycopg import Error

from models.certificate import validity_of_pem


class ConnectionRule(StrEnum):
    """What keeps us out of a database that answers."""

    PASSWORD = "database_password"  # noqa: S105  # the name of a rule
    NAME = "database_name"
    ENCRYPTION = "database_encryption"
    CERTIFICATE = "database_certificate"
    ACCESS = "database_access"


# The driver has no codes for these, only its own words and the server's. Those of a server that speaks another language
# are shown as they are, and count as no answer.
_WORDS = {
    # Ours, which the address may name: first, for its words are among those of the next.
    ConnectionRule.CERTIFICATE: (
        r"private key",
        r"could not (?:read|load|open) certificate",
        r"client certificate",
        r"certificate authentication failed",
        r"alert .*(?:certificate|unknown ca)",
    ),
    ConnectionRule.ENCRYPTION: (
        r"does not support SSL",
        r"no encryption",
        r"sslmode",
        r"(?:root|server) certificate",
        r"certificate verify failed",
    ),
    ConnectionRule.PASSWORD: (r"password authentication failed", r"no password supplied", r"role .* does not exist"),
    ConnectionRule.NAME: (r"database .* does not exist",),
    ConnectionRule.ACCESS: (
        r"pg_hba\.conf",
        r"permission denied",
        r"not permitted to log in",
        r"authentication failed",
        r"invalid connection option",
    ),
}
_HEAD = re.compile(r"connection (?:failed|is bad): (?P<reason>.+)")
_OTHERS = ("failed to resolve host", "connection timeout", "invalid connection option")


def reason_of(error: Error) -> str:
    """Return why no connection came about, in one line; empty for an error of a connection that was there."""
    message = (str(error).splitlines() or [""])[0].strip().rstrip(":")
    if error.sqlstate is not None:
        return ""
    if found := _HEAD.fullmatch(message):
        return found["reason"]
    return message if message.startswith(_OTHERS) else ""


def rule_of(reason: str) -> ConnectionRule | None:
    """Return what a reason says keeps us out; none when nobody answers."""
    return next((rule for rule, words in _WORDS.items() if any(re.search(one, reason) for one in words)), None)


def problem_of_certificate(pem: bytes) -> str:
    """Return why a certificate is not good now; "" where it is."""
    return validity_of_pem(pem.decode("ascii")).problem_at(datetime.now(UTC))
