"""A communication written out: the tags of its template replaced by what a record says, as its reader writes it."""

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType

from babel import Locale
from babel.dates import format_date

from activities.messages.template_values import Facts, money_text, one_line
from models.messages.communication import TAG
from models.money import Money

_FALLBACK = "en"


def text_in_language(texts: Mapping[str, Mapping[str, str]], locale: str) -> tuple[str, Mapping[str, str]]:
    """Return the text in a reader's language and which one it is: else English, else the first that there is."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    for one in (language, _FALLBACK, *sorted(texts)):
        if one in texts:
            return one, texts[one]
    raise LookupError("a template has no text")


def communication_text(facts: Facts) -> str:
    """Fill in a communication: the first line is its subject. A value is text, and no tag of it is filled in again."""
    _, written = text_in_language(facts.message.texts, facts.message.locale)

    def value(tag: str) -> str:
        return str(COMMUNICATION_VALUES[tag](facts))

    subject = TAG.sub(lambda found: one_line(value(found[1])), written["subject"])
    return f"{subject}\n{TAG.sub(lambda found: value(found[1]), written['text'])}"


def _money(name: str) -> Callable[[Facts], str]:
    def written(facts: Facts) -> str:
        record = facts.message.record
        return money_text(Money(int(record[name]), str(record["currency"])), facts.locale)

    return written


def _day(name: str) -> Callable[[Facts], str]:
    def written(facts: Facts) -> str:
        given = facts.message.record[name]
        return str(format_date(date.fromisoformat(given), "long", locale=facts.locale)) if given else ""

    return written


def _text(name: str) -> Callable[[Facts], str]:
    return lambda facts: one_line(str(facts.message.record[name]))


def locale_of_text(facts_locale: str, texts: Mapping[str, Mapping[str, str]]) -> Locale:
    """Return how amounts and days are written: as the reader does, if the text is in the reader's language."""
    language, _ = text_in_language(texts, facts_locale)
    try:
        own = Locale.parse(facts_locale.replace("-", "_"))
    except (ValueError, LookupError):
        return Locale.parse(language)
    return own if own.language == language else Locale.parse(language)


COMMUNICATION_VALUES: Mapping[str, Callable[[Facts], str]] = MappingProxyType(
    {
        "name": lambda facts: one_line(facts.message.name),
        "sender": lambda facts: facts.sender,
        "portal": lambda facts: facts.portal_url,
        **{name: _text(name) for name in ("account", "reference", "currency", "overdue_days", "number", "type")},
        **{name: _text(name) for name in ("state", "days_overdue", "method", "payment_reference", "invoices")},
        **{name: _money(f"{name}_minor") for name in ("balance", "owed", "credit", "overdue", "amount", "net")},
        **{name: _money(f"{name}_minor") for name in ("tax", "discount", "open")},
        **{name: _day(name) for name in ("posted_on", "issued_on", "due_on")},
    }
)
