"""Mail that came back: what a report about its delivery says (RFC 3464, RFC 6533), and of which message."""

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, message_from_string
from email.message import Message
from email.utils import getaddresses
from quopri import decodestring

# About the recipient's address, and no other cause (RFC 3463, 3.2): 5.1.0, 5.1.7 and 5.1.8 are not.
NO_ADDRESS = re.compile(r"5\.1\.(?:1|2|3|6|10)(?![.\d])")
FAILED = "failed"
_MAIL_ID = re.compile(r"<([0-9a-f]{32})@")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_UNKNOWN_STATUS = "5.0.0"
# What is not a character of the address's own (RFC 3461, 4): `+2B` is `+`.
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
# The same of an address that is not ASCII (RFC 6533, 3): `\x{E4}` is `ä`.
_UNICODE = re.compile(r"\\x\{([0-9A-F]{2,6})\}")
_REPORT = "multipart/report"
_STATUSES = ("message/delivery-status", "message/global-delivery-status")
_RETURNED = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
# A part that is a message has no encoding (RFC 2046, 5.2.1); servers that pass a report on give it one all the same.
_DECODERS: Mapping[str, Callable[[bytes], bytes]] = {"base64": b64decode, "quoted-printable": decodestring}


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
            # A comment may follow it, as it follows a status.
            _value(fields, "Action").partition("(")[0].strip().lower(),
            status[0] if status else _UNKNOWN_STATUS,
            frozenset(named | written_to),
        )


def _recipients(report: Message) -> Iterator[Mapping[str, str]]:
    """Yield the fields about each recipient; the block before them is about the message."""
    for part in report.walk():
        if part.get_content_type() in _STATUSES:
            for block in _blocks(part):
                if block.get("Action"):
                    yield {name.lower(): str(value) for name, value in block.items()}


def _blocks(part: Message) -> Iterator[Message]:
    """Yield the blocks of fields of a part. The parser knows them where the part has its older name and no encoding."""
    parsed = part.get_payload()
    blocks = [block for block in parsed if isinstance(block, Message)] if isinstance(parsed, list) else []
    if part.get_content_type() == _STATUSES[0] and not _is_encoded(part):
        yield from blocks
        return
    text = _decoded(part, b"\n".join(block.as_bytes() for block in blocks)).decode("utf-8", "replace")
    for block in re.split(r"(?:\r?\n){2,}", text.strip()):
        yield message_from_string(block)


def _is_encoded(part: Message) -> bool:
    return str(part.get("Content-Transfer-Encoding", "")).strip().lower() in _DECODERS


def _decoded(part: Message, content: bytes) -> bytes:
    """Return the content of a part without its encoding; what is no such encoding as it is."""
    decode = _DECODERS.get(str(part.get("Content-Transfer-Encoding", "")).strip().lower())
    try:
        return decode(content.strip()) if decode else content
    except ValueError:
        return content


def _returned(report: Message) -> Message | None:
    """Return the message that came back, or its headers alone."""
    for part in report.walk():
        if part.get_content_type() in _RETURNED:
            content = part.get_payload()
            if isinstance(content, list) and content and isinstance(content[0], Message):
                is_encoded = _is_encoded(part)
                return message_from_bytes(_decoded(part, content[0].as_bytes())) if is_encoded else content[0]
            text = part.get_payload(decode=True)
            return message_from_string(text.decode("utf-8", "replace")) if isinstance(text, bytes) else None
    return None


def _value(fields: Mapping[str, str], name: str) -> str:
    return fields.get(name.lower(), "")


def _address(fields: Mapping[str, str], name: str, *, is_xtext: bool = False) -> Iterator[str]:
    kind, _, address = _value(fields, name).partition(";")
    address = address.strip().strip("<>")
    if kind.strip().lower() == "utf-8" and address:
        yield _UNICODE.sub(lambda found: chr(min(int(found[1], 16), 0x10FFFF)), address)
    if kind.strip().lower() == "rfc822" and address:
        yield _XTEXT.sub(lambda found: chr(int(found[1], 16)), address) if is_xtext else address
