"""When a certificate is good, as it says itself (X.509, RFC 5280)."""

from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_UTC_TIME, _VERSION = 0x17, 0xA0


class Validity(NamedTuple):
    """From when until when a certificate is good."""

    begins: datetime
    ends: datetime

    def problem_at(self, now: datetime) -> str:
        """Say why it is not good at a moment; "" where it is."""
        if self.ends < now:
            return f"was good until {self.ends:%Y-%m-%d %H:%M}Z"
        return f"is good from {self.begins:%Y-%m-%d %H:%M}Z" if self.begins > now else ""


def validity_of(certificate: bytes) -> Validity:
    """Return when a certificate (DER) is good. Raises ValueError for anything else."""
    ((_, outer),) = _parts(certificate)
    (_, to_be_signed), *_ = _parts(outer)
    parts = [content for tag, content in _parts(to_be_signed) if tag != _VERSION]
    # Serial number, signature, issuer, validity; the validity is a beginning and an end.
    begins, ends = (_moment(tag, text) for tag, text in _parts(parts[3]))
    return Validity(begins, ends)


def validity_of_pem(text: str) -> Validity:
    """Return when the first certificate of a PEM file is good. Raises ValueError where there is none."""
    begin, end = text.index(_BEGIN), text.index(_END)
    return validity_of(b64decode(text[begin + len(_BEGIN) : end]))


def _moment(tag: int, text: bytes) -> datetime:
    form = "%y%m%d%H%M%SZ" if tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text.decode("ascii"), form).replace(tzinfo=UTC)


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each value of a DER encoding."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length > 0x7F:
            octets = length & 0x7F
            length, at = int.from_bytes(data[at : at + octets]), at + octets
        yield tag, data[at : at + length]
        at += length
