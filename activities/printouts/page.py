"""A document as it is read: every text of it written out in its reader's language, in the order in which it stands."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from textwrap import wrap
from typing import Any

import segno.helpers

from activities.messages.template_values import one_line
from activities.printouts.catalogue import Catalogue
from activities.printouts.tax.page import tax_currency_notes, tax_currency_sums
from models.money import Money
from models.printouts.facts import (
    OF_VAT,
    Buyer,
    DocumentFacts,
    DocumentKind,
    DocumentLine,
    Relation,
    Seller,
    StatementFacts,
    VatCategory,
)

# What the European Payments Council takes in a QR code (EPC069-12).
EPC_MOST_MINOR = 99_999_999_999
EPC_NAME_MAX = 70
# The sums stand on one page with the last line.
SETTLED_MOST = 12


@dataclass(frozen=True)
class TableColumn:
    """A column of the table."""

    label: str
    is_number: bool = False


@dataclass(frozen=True)
class Total:
    """A line below the table."""

    label: str
    value: str
    is_strong: bool = False


@dataclass(frozen=True)
class DocumentPage:
    """All that is read on a document. A cell may have several lines; `qr` and `logo` are SVG."""

    language: str
    title: str
    subject: str
    mark: str
    color: str
    logo: str
    logo_alt: str
    sender: str
    recipient: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    totals: tuple[Total, ...]
    notes: tuple[str, ...]
    footer: tuple[tuple[str, ...], ...]
    page: str
    qr: str = ""
    qr_alt: str = ""
    qr_label: str = ""


def page_of(facts: DocumentFacts, words: Catalogue) -> DocumentPage:
    """Write the document of a transaction."""
    title = words.text(facts.kind)
    has_lines = bool(facts.lines)
    columns, rows = _lines(facts, words) if has_lines else _settled(facts, words)
    due = words.money(facts.due_minor, facts.currency)
    return DocumentPage(
        **frame_of(facts.seller, facts.buyer, words),
        title=title,
        subject=f"{title} {facts.number}".strip(),
        mark=words.text("draft") if facts.is_draft else "",
        facts=tuple(_facts(facts, words)),
        columns=columns,
        rows=rows,
        totals=tuple(_totals(facts, words)),
        notes=tuple(_notes(facts, words)),
        qr=transfer_code(facts.seller, facts.due_minor, facts.currency, facts.number),
        qr_alt=words.text("qr_alt", amount=due),
        qr_label=words.text("qr"),
    )


def statement_page_of(facts: StatementFacts, words: Catalogue) -> DocumentPage:
    """Write a statement: what was posted between two balances."""
    title = words.text(facts.kind)
    until = words.day(facts.until)
    period = (
        words.text("period", since=words.day(facts.since), until=until)
        if facts.since
        else words.text("until", until=until)
    )
    labels = ("date", "number", "document", "due_on", "amount", "balance_after")
    rows = [
        (
            words.day(row.on),
            row.number,
            words.text(row.classification),
            words.day(row.due_on) if row.due_on else "",
            words.amount(row.amount_minor, facts.currency),
            words.amount(row.balance_minor, facts.currency),
        )
        for row in facts.rows
    ]
    sums = (("opening", facts.opening_minor), ("closing", facts.closing_minor), ("unsettled", facts.unsettled_minor))
    return DocumentPage(
        **frame_of(facts.seller, facts.buyer, words),
        title=title,
        subject=f"{title} {facts.buyer.account_id}",
        mark="",
        facts=((words.text("account"), facts.buyer.account_id), (words.text("statement_period"), period)),
        columns=tuple(TableColumn(words.text(label), label in {"amount", "balance_after"}) for label in labels),
        rows=tuple(rows),
        totals=tuple(
            Total(words.text(label), words.money(value, facts.currency), label == "closing") for label, value in sums
        ),
        notes=(words.text("in_favour"), words.text("no_invoice")),
    )


def frame_of(seller: Seller, buyer: Buyer, words: Catalogue) -> dict[str, Any]:
    """Return what stands on every page: the seller with the brand, and to whom it is made out."""
    town = f"{seller.postal_code} {seller.city}".strip()
    named = (("registration", seller.registration), ("seller_vat_id", seller.vat_id), ("tax_number", seller.tax_number))
    contact = (("email", seller.email), ("phone", seller.phone))
    bank = (("iban", " ".join(wrap(seller.iban, 4))), ("bic", seller.bic))
    recipient = (
        buyer.name,
        buyer.addition,
        buyer.street,
        f"{buyer.postal_code} {buyer.city}".strip(),
        _country(buyer.country, words) if buyer.country != seller.country else "",
    )
    return {
        "language": words.language,
        "color": seller.color,
        "logo": seller.logo,
        "logo_alt": words.text("logo", name=seller.name),
        "sender": f"{seller.name} · {seller.street} · {town}",
        "recipient": _printable(recipient),
        "footer": (
            _printable((seller.name, seller.street, town, _country(seller.country, words))),
            (*_labelled(contact, words), *_labelled(named, words)),
            tuple(_labelled(bank, words)),
        ),
        "page": words.text("page", page="{page}", pages="{pages}"),
    }


def _facts(facts: DocumentFacts, words: Catalogue) -> Iterator[tuple[str, str]]:
    if not facts.is_draft:
        yield words.text("number"), facts.number
    yield words.text("date"), words.day(facts.dated)
    if facts.kind in OF_VAT:
        yield words.text("supplied"), words.days(*facts.supplied)
    if facts.due_on and facts.kind is DocumentKind.INVOICE:
        yield words.text("due_on"), words.day(facts.due_on)
    yield words.text("account"), facts.buyer.account_id
    given = (
        ("buyer_vat_id", facts.buyer.vat_id),
        ("reference", facts.buyer.reference),
        ("method", facts.method),
        ("payment_reference", facts.payment_reference),
        ("reason", facts.reason),
    )
    for label, value in given:
        if value:
            yield words.text(label), one_line(value)


def _lines(facts: DocumentFacts, words: Catalogue) -> tuple[tuple[TableColumn, ...], tuple[tuple[str, ...], ...]]:
    has_discount = any(line.discount_minor for line in facts.lines)
    labels = ("position", "description", "quantity", "unit_price", *(("discount",) * has_discount), "vat", "line_total")
    columns = tuple(TableColumn(words.text(label), label not in {"position", "description"}) for label in labels)
    rows = tuple(tuple(_line(line, facts, words, has_discount=has_discount)) for line in facts.lines)
    return columns, rows


def _line(line: DocumentLine, facts: DocumentFacts, words: Catalogue, *, has_discount: bool) -> Iterator[str]:
    yield str(line.position)
    period = words.days(line.period_from, line.period_to or line.period_from) if line.period_from else ""
    yield "\n".join(filter(None, (one_line(line.name), period)))
    yield words.number(line.quantity)
    yield words.amount(line.unit_price_minor, facts.currency)
    if has_discount:
        rate = words.percent(line.discount_percent) if line.discount_percent else ""
        taken = words.amount(-line.discount_minor, facts.currency) if line.discount_minor else ""
        yield "\n".join(filter(None, (taken, rate)))
    yield words.percent(line.tax_percent) if line.has_rate else words.amount(line.tax_minor, facts.currency)
    yield words.amount(line.net_minor, facts.currency)


def _settled(facts: DocumentFacts, words: Catalogue) -> tuple[tuple[TableColumn, ...], tuple[tuple[str, ...], ...]]:
    """Write what a payment or refund settles; no table where it settles nothing yet."""
    related = [one for one in facts.related if one.relation in {Relation.SETTLED, Relation.ORIGINAL}]
    if not related:
        return (), ()
    labels = ("document", "number", "date", "amount")
    rows = tuple(
        (
            words.text(one.classification),
            one.number,
            words.day(one.on),
            words.amount(one.amount_minor, facts.currency),
        )
        for one in related
    )
    return tuple(TableColumn(words.text(label), label == "amount") for label in labels), rows


def _totals(facts: DocumentFacts, words: Catalogue) -> Iterator[Total]:
    if facts.lines:
        yield Total(words.text("total_net"), words.money(facts.net_minor, facts.currency))
        for vat in facts.vat():
            base = words.money(vat.net_minor, facts.currency)
            label = words.text("vat_of" if vat.has_rate else "tax_on", percent=words.percent(vat.percent), base=base)
            yield Total(label, words.money(vat.tax_minor, facts.currency))
    yield Total(words.text("total" if facts.lines else "amount"), words.money(facts.total_minor, facts.currency), True)
    yield from (Total(*one) for one in tax_currency_sums(facts, words))
    if facts.kind is DocumentKind.INVOICE and facts.settled_minor:
        yield from _settling(facts, words)
        yield Total(words.text("due"), words.money(facts.due_minor, facts.currency), True)


def _settling(facts: DocumentFacts, words: Catalogue) -> Iterator[Total]:
    """Name what has settled an invoice: one by one, or in a sum what would fill the page."""
    settling = facts.of_relation(Relation.SETTLED)
    if len(settling) > SETTLED_MOST:
        label = words.text("settled_many", count=str(len(settling)))
        yield Total(label, words.money(-facts.settled_minor, facts.currency))
        return
    for one in settling:
        label = words.text("settled_by", kind=words.text(one.classification), number=one.number, on=words.day(one.on))
        yield Total(label, words.money(-one.amount_minor, facts.currency))


def _notes(facts: DocumentFacts, words: Catalogue) -> Iterator[str]:
    for one in facts.of_relation(Relation.ORIGINAL):
        yield words.text("original", number=one.number, on=words.day(one.on))
    for one in facts.of_relation(Relation.ADDRESSED):
        label = words.text("of_document", number=one.number, on=words.day(one.on))
        yield f"{words.text(facts.kind)} {label}."
    for one in facts.of_relation(Relation.CANCELLED_BY):
        yield words.text("cancelled_by", number=one.number, on=words.day(one.on))
    for category, exemption in dict.fromkeys((vat.category, vat.exemption) for vat in facts.vat()):
        if category not in {VatCategory.STANDARD, VatCategory.ZERO, VatCategory.UNSAID}:
            yield words.text(f"tax_category_{category}", exemption=exemption)
    yield from tax_currency_notes(facts, words)
    if facts.kind not in OF_VAT:
        yield words.text("no_invoice")
    elif facts.kind is DocumentKind.INVOICE and not facts.is_draft:
        if facts.due_minor > 0 and facts.due_on:
            amount = words.money(facts.due_minor, facts.currency)
            yield words.text("due_until", amount=amount, on=words.day(facts.due_on), number=facts.number)
        else:
            yield words.text("payable_nothing")


def transfer_code(seller: Seller, due_minor: int, currency: str, text: str) -> str:
    """Return the QR code of a transfer in euros, where there is something to pay and an account to pay it to."""
    if currency != "EUR" or not seller.iban or not 0 < due_minor <= EPC_MOST_MINOR:
        return ""
    code = segno.helpers.make_epc_qr(
        name=seller.name[:EPC_NAME_MAX],
        iban=seller.iban,
        amount=Money(due_minor, "EUR").to_decimal(),
        text=text,
        bic=seller.bic or None,
    )
    drawn = BytesIO()
    code.save(drawn, kind="svg", scale=3, border=0)
    return drawn.getvalue().decode()


def _labelled(values: Iterable[tuple[str, str]], words: Catalogue) -> Iterator[str]:
    for label, value in values:
        if value:
            yield f"{words.text(label)} {one_line(value)}"


def _printable(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(one_line(line) for line in lines if line)


def _country(code: str, words: Catalogue) -> str:
    return str(words.locale.territories.get(code, code)) if code else ""
