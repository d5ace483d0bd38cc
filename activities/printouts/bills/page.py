"""A bill as it is read: what was owed before, what was posted, what is owed, and how what is unsettled is paid."""

from collections.abc import Iterator

from activities.messages.template_values import one_line
from activities.printouts.catalogue import Catalogue
from activities.printouts.page import DocumentPage, TableColumn, Total, frame_of, transfer_code
from models.printouts.bill import BillFacts, BillPosting

_NUMBERS = frozenset({"amount", "open_amount"})


def bill_page_of(facts: BillFacts, words: Catalogue) -> DocumentPage:
    """Write a bill."""
    title = words.text(facts.kind)
    labels = ("date", "number", "document", "due_on", "amount", "open_amount")
    asked = 0 if facts.collected_by else facts.unsettled_minor
    unsettled = words.money(facts.unsettled_minor, facts.currency)
    return DocumentPage(
        **frame_of(facts.seller, facts.buyer, words),
        title=title,
        subject=f"{title} {facts.number}",
        mark="",
        facts=tuple(_facts(facts, words)),
        columns=tuple(TableColumn(words.text(label), label in _NUMBERS) for label in labels),
        rows=tuple(_row(one, facts, words) for one in facts.postings),
        totals=tuple(_totals(facts, words)),
        notes=tuple(_notes(facts, words)),
        qr=transfer_code(facts.seller, asked, facts.currency, facts.number),
        qr_alt=words.text("qr_alt", amount=unsettled),
        qr_label=words.text("qr"),
    )


def _facts(facts: BillFacts, words: Catalogue) -> Iterator[tuple[str, str]]:
    yield words.text("number"), facts.number
    yield words.text("date"), words.day(facts.made_on)
    yield words.text("bill_period"), words.days(facts.starts_on, facts.ends_on)
    yield words.text("account"), facts.buyer.account_id
    if facts.buyer.reference:
        yield words.text("reference"), one_line(facts.buyer.reference)


def _row(one: BillPosting, facts: BillFacts, words: Catalogue) -> tuple[str, ...]:
    kind = words.text(one.classification)
    return (
        words.day(one.on),
        one.number,
        words.text("cancelled_document", document=kind) if one.is_cancelled else kind,
        words.day(one.due_on) if one.due_on else "",
        words.amount(one.amount_minor, facts.currency),
        words.amount(one.unsettled_minor, facts.currency) if one.unsettled_minor else "",
    )


def _totals(facts: BillFacts, words: Catalogue) -> Iterator[Total]:
    posted = (
        ("debited", facts.debited_minor),
        ("credited", -facts.credited_minor),
        ("invoiced", facts.invoiced_minor),
        ("credit_notes", -facts.credit_notes_minor),
    )
    yield Total(words.text("brought_forward"), words.money(facts.brought_forward_minor, facts.currency))
    for label, amount in posted:
        if amount:
            yield Total(words.text(label), words.money(amount, facts.currency))
    outstanding = words.text("outstanding", on=words.day(facts.made_on))
    yield Total(outstanding, words.money(facts.outstanding_minor, facts.currency), is_strong=True)
    for label, amount in (("bill_cancelled", facts.cancelled_minor), ("bill_settled", facts.settled_minor)):
        if amount:
            yield Total(words.text(label), words.money(amount, facts.currency))
    unsettled = words.text("bill_unsettled", on=words.day(facts.as_of))
    yield Total(unsettled, words.money(facts.unsettled_minor, facts.currency), is_strong=True)


def _notes(facts: BillFacts, words: Catalogue) -> Iterator[str]:
    if facts.brought_forward_minor > 0:
        yield words.text("brought_forward_apart")
    yield words.text("in_favour")
    yield words.text("bill_no_invoice")
    yield _how_to_pay(facts, words)


def _how_to_pay(facts: BillFacts, words: Catalogue) -> str:
    if facts.unsettled_minor <= 0:
        return words.text("bill_is_settled")
    amount = words.money(facts.unsettled_minor, facts.currency)
    if facts.collected_by:
        return words.text("bill_collected", amount=amount, method=one_line(facts.collected_by))
    if facts.due is None:
        return words.text("bill_to_pay", amount=amount, number=facts.number)
    first, last = facts.due
    if first == last:
        return words.text("due_until", amount=amount, on=words.day(first), number=facts.number)
    days = {"first": words.day(first), "last": words.day(last)}
    return words.text("bill_due_between", amount=amount, number=facts.number, **days)
