"""A claimed message rendered by its template, in its reader's language and calendar (F140, F141)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, parseaddr
from functools import cache
from pathlib import Path
from types import MappingProxyType

from babel import Locale, UnknownLocaleError
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, meta, nodes, select_autoescape

from activities.messages.attachments import Attachment
from activities.messages.communicating import communication_text, locale_of_text
from activities.messages.template_values import VALUES, ClaimedMessage, Facts, one_line
from models.messages.message import FOR_CUSTOMERS, TAGS, MessageKind

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGES = ("en", "de")
OPERATORS = "operators"
_PORTAL_LINES = MappingProxyType(
    {
        "en": "\n-- \nYour invoices, payments and cards: {url}\n",
        "de": "\n-- \nIhre Rechnungen, Zahlungen und Karten: {url}\n",
    }
)

# Without a script, a login or a second page: the mail program's own button opts out (RFC 2369, RFC 8058).
_OPT_OUT, _ONE_CLICK = "List-Unsubscribe", "List-Unsubscribe=One-Click"
_OPT_OUT_LINES = MappingProxyType(
    {
        "en": "\n-- \nTo get no more mail like this: {url}\n",
        "de": "\n-- \nKeine solchen E-Mails mehr erhalten: {url}\n",
    }
)


class _AddressHeader(UnstructuredHeader):
    """A header with an address of a page. Folded as text it would become encoded words, which no program follows."""

    name: str

    def fold(self, *, policy: Policy) -> str:
        """Return it on a line of its own length: up to 998 characters are allowed (RFC 5322, 2.1.1)."""
        return f"{self.name}: {self}{policy.linesep}"


# Seven bits go through every mail server.
_HEADERS = HeaderRegistry()
_HEADERS.map_to_type(_OPT_OUT, _AddressHeader)  # type: ignore[arg-type]  # it mixes the class with the base itself
_PLAIN = SMTP.clone(cte_type="7bit", header_factory=_HEADERS)


class TemplateRefusedError(ValueError):
    """A template is missing, or uses a tag that its kind of message does not have."""


class NoMessageError(Exception):
    """A message that cannot be written as things are: whose recipient has no address, or an impossible one."""

    def __init__(self, reason: str, *, is_final: bool) -> None:
        self.reason = reason
        self.is_final = is_final
        super().__init__(reason)


@dataclass(frozen=True)
class RenderedMessage:
    """What is handed to a mail server. It names a person, so it is never logged or kept."""

    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Sender:
    """Who writes, where alerts go (nowhere when empty), and where links lead."""

    mail_from: str = "payments@localhost"
    operators_mail: str = ""
    public_url: str = ""
    ui_url: str = ""
    portal_url: str = ""


class MessageRenderer:
    """Renders messages. Making one reads every template, so that a wrong tag is found at start and not at night."""

    def __init__(self, head: Sender, folder: Path = TEMPLATES) -> None:
        self._head = head
        self._templates = read_templates(folder)
        name, self._sender = parseaddr(head.mail_from)
        self._signature = name or self._sender.rpartition("@")[2]

    def compose(self, message: ClaimedMessage, attached: Sequence[Attachment] = ()) -> RenderedMessage:
        """Render a message as mail. Raises NoMessageError when there is nobody to send it to."""
        is_customers = message.kind in FOR_CUSTOMERS
        recipient = message.recipient or (message.email if is_customers else self._head.operators_mail)
        if not recipient:
            raise NoMessageError("no_address", is_final=False)
        locale = self.locale_of(message)
        text = self.text_of(message, locale)
        subject, _, body = text.partition("\n")
        mail = EmailMessage(policy=_PLAIN)
        mail["From"] = Address(self._signature, addr_spec=self._sender)
        mail["To"] = _address(one_line(message.name) if is_customers else "", recipient)
        mail["Subject"] = one_line(subject)
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = message_id(message, self._sender)
        mail["Auto-Submitted"] = "auto-generated"
        if message.is_optional and message.link_token:
            mail[_OPT_OUT] = f"<{self._opt_out_url(message)}>"
            mail[f"{_OPT_OUT}-Post"] = _ONE_CLICK
        mail.set_content(body)
        for file in attached:
            kind, _, subtype = file.media_type.partition("/")
            mail.add_attachment(file.content, maintype=kind, subtype=subtype, filename=file.name)
        return RenderedMessage(self._sender, recipient, mail.as_bytes())

    def locale_of(self, message: ClaimedMessage) -> Locale:
        """Return the locale in which a message is written."""
        if message.kind is MessageKind.COMMUNICATION:
            return locale_of_text(message.locale, message.texts)
        return reader_locale(message.locale if message.kind in FOR_CUSTOMERS else "en")

    def text_of(self, message: ClaimedMessage, locale: Locale) -> str:
        """Fill in the template of a message: the first line is the subject."""
        head = self._head
        facts = Facts(message, locale, self._signature, head.public_url, head.ui_url, head.portal_url)
        if message.kind is MessageKind.COMMUNICATION:
            # What somebody wrote is sent as it was written: where the portal is, a tag of it says.
            return communication_text(facts) + self._opt_out_line(message, locale.language)
        values = {tag: VALUES[tag](facts) for tag in TAGS[message.kind]}
        if message.kind not in FOR_CUSTOMERS:
            values["link"] = facts.workflow_link()
        folder = locale.language if message.kind in FOR_CUSTOMERS else OPERATORS
        return self._templates[folder, message.kind].render(values) + self._portal_line(message, folder)

    @property
    def has_portal(self) -> bool:
        """Whether there is a portal for links to lead to."""
        return bool(self._head.portal_url)

    def _opt_out_url(self, message: ClaimedMessage) -> str:
        # A preview has no link: one is made when a letter is sent.
        return f"{self._head.portal_url}/mail/{message.link_token or '...'}"

    def _opt_out_line(self, message: ClaimedMessage, language: str) -> str:
        """Return what a letter ends with that neither law nor contract requires: where to opt out."""
        written = _OPT_OUT_LINES.get(language, _OPT_OUT_LINES["en"])
        return written.format(url=self._opt_out_url(message)) if message.is_optional and self.has_portal else ""

    def _portal_line(self, message: ClaimedMessage, language: str) -> str:
        """Return what every letter to an account's holder ends with: where the portal is. Other payers have none."""
        is_holders = language in _PORTAL_LINES and not message.recipient and message.kind is not MessageKind.PORTAL_LINK
        return _PORTAL_LINES[language].format(url=self._head.portal_url) if is_holders and self._head.portal_url else ""


@cache
def read_templates(folder: Path) -> Mapping[tuple[str, MessageKind], Template]:
    """Read all templates. Raises TemplateRefusedError for one that is missing, or a tag that nobody knows."""
    # Plain text: what HTML would need escaped stands as it is, and tags are written #{tag}.
    environment = Environment(
        loader=FileSystemLoader(folder),
        variable_start_string="#{",
        variable_end_string="}",
        comment_start_string="<!--",
        comment_end_string="-->",
        undefined=StrictUndefined,
        autoescape=select_autoescape(()),
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return {place: _read(environment, folder, *place) for place in _places()}


def _places() -> list[tuple[str, MessageKind]]:
    own = FOR_CUSTOMERS - {MessageKind.COMMUNICATION}  # whose templates the configuration has
    customers = [(language, kind) for language in LANGUAGES for kind in sorted(own)]
    return customers + [(OPERATORS, kind) for kind in MessageKind if kind not in FOR_CUSTOMERS]


def _read(environment: Environment, folder: Path, group: str, kind: MessageKind) -> Template:
    name = f"{group}/{kind}.txt"
    if not (folder / name).is_file():
        raise TemplateRefusedError(f"{name}: there is no such template")
    tree = environment.parse((folder / name).read_text(encoding="utf-8"))
    if unknown := sorted(meta.find_undeclared_variables(tree) - TAGS[kind]):
        known = ", ".join(sorted(TAGS[kind]))
        raise TemplateRefusedError(f"{name}: #{{{unknown[0]}}} is no tag of {kind}; it has {known}")
    if any(tree.find(kind) for kind in (nodes.Getattr, nodes.Getitem, nodes.Call)):
        raise TemplateRefusedError(f"{name}: a tag is a name and has no parts")
    return environment.get_template(name)


def reader_locale(name: str) -> Locale:
    """Return the locale to write in: the reader's own if there are templates in its language, else English."""
    try:
        locale = Locale.parse(name.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale("en")
    return locale if locale.language in LANGUAGES else Locale("en")


def message_id(message: ClaimedMessage, sender: str) -> str:
    """Return the Message-ID: the same for every sending of a message, so that a mail reader shows it once."""
    digest = hashlib.sha256(f"{message.installation}/{message.id}".encode()).hexdigest()[:32]
    return f"<{digest}@{sender.rpartition('@')[2]}>"


def _address(name: str, recipient: str) -> Address:
    if not recipient.isascii():
        raise NoMessageError("address_not_ascii", is_final=True)
    try:
        return Address(name, addr_spec=recipient)
    except (ValueError, HeaderParseError, IndexError):
        raise NoMessageError("address_invalid", is_final=True) from None
