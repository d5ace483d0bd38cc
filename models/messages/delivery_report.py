"""Mail that came back: what a report about the delivery of a message says (RFC 3464), and of which message."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, message_from_string
from email.message import Message
from email.utils import getaddresses

# About the recipient's address, and no other cause (RFC 3463, 3.2): 5.1.0, 5.1.7 and 5.1.8 are not.
NO_ADDRESS = re.compile(r"5\.1\.(?:1|2|3|6|10)(?![.\d])")
FAILED = "failed"
_MAIL_ID = re.compile(r"<([0-9a-f]{32})@")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_UNKNOWN_STATUS = "5.0.0"
# What is not a character of the address's own (RFC 3461, 4): `+2B` is `+`.
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_REPORT, _STATUSES, _RETURNED = "multipart/report", "message/delivery-status", ("message/rfc822", "text/rfc822-headers")


@dataclass(frozen=True)
class DeliveryReport:
    """What became of one recipient of one message; `mail_id` is what its Message-ID begins with."""

    mail_id: str
    action: str  # failed, delayed, delivered, relayed, expanded (RFC 3464, 2.3.3)
    status: str
    addresses: frozenset[str] = field(repr=False)

    @property
    def is_failed(self) -> bool:
        """Whether it is given up: nobody has got the message."""
        return self.action == FAILED

    @property
    def is_no_address(self) -> bool:
        """Whether there is no such address, by the statuses that are believed of a server's own answer, too."""
        return NO_ADDRESS.match(self.status) is not None


def delivery_reports(mail: bytes) -> Iterator[DeliveryReport]:
    """Yield what a mail reports, by recipient: nothing for one that is no report, or of no message of ours."""
    parsed = message_from_bytes(mail)
    if parsed.get_content_type() != _REPORT:
        return
    returned = _returned(parsed)
    found = _MAIL_ID.search(str(returned.get("Message-ID", ""))) if returned is not None else None
    if returned is None or found is None:
        return
    written_to = {address for _, address in getaddresses([str(returned.get("To", ""))]) if address}
    for fields in _recipients(parsed):
        named = {*_address(fields, "Original-Recipient", is_xtext=True), *_address(fields, "Final-Recipient")}
        status = _STATUS.search(_value(fields, "Status"))
        yield DeliveryReport(
            found[1],
            _value(fields, "Action").strip().lower(),
            status[0] if status else _UNKNOWN_STATUS,
            frozenset(named | written_to),
        )


def _recipients(report: Message) -> Iterator[Mapping[str, str]]:
    """Yield the fields about each recipient; the block before them is about the message."""
    for part in report.walk():
        if part.get_content_type() == _STATUSES:
            blocks = part.get_payload()
            for block in blocks if isinstance(blocks, list) else ():
                if isinstance(block, Message) and block.get("Action"):
                    yield {name.lower(): str(value) for name, value in block.items()}


def _returned(report: Message) -> Message | None:
    """Return the message that came back, or its headers alone."""
    for part in report.walk():
        if part.get_content_type() in _RETURNED:
            content = part.get_payload()
            if isinstance(content, list) and content and isinstance(content[0], Message):
                return content[0]
            text = part.get_payload(decode=True)
            return message_from_string(text.decode("utf-8", "replace")) if isinstance(text, bytes) else None
    return None


def _value(fields: Mapping[str, str], name: str) -> str:
    return fields.get(name.lower(), "")


def _address(fields: Mapping[str, str], name: str, *, is_xtext: bool = False) -> Iterator[str]:
    kind, _, address = _value(fields, name).partition(";")
    address = address.strip().strip("<>")
    if kind.strip().lower() == "rfc822" and address:
        yield _XTEXT.sub(lambda found: chr(int(found[1], 16)), address) if is_xtext else address
