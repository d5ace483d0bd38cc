"""Whose money a line is: what a bank does to a payer's words, and whose number a number is."""

from datetime import date

import pytest

from models.bank.entry import BankEntry
from models.bank.routing import KnownAccount, KnownInvoice, KnownReferences, Route, SuspenseReason, route
from models.ledger.number_series import NumberSeries


def a_line(**fields: object) -> BankEntry:
    given: dict[str, object] = {
        "line": 2, "reference": "B1", "is_credit": True, "amount_minor": 1000, "currency": "EUR",
        "booked_on": date(2026, 5, 20),
    }  # fmt: skip
    return BankEntry(**{**given, **fields})  # type: ignore[arg-type]


def an_invoice(account: str) -> KnownInvoice:
    return KnownInvoice(f"ft-of-{account}", account, is_posted=True)


KNOWN = KnownReferences(
    accounts={
        id: KnownAccount(id, "EUR", is_terminated=False)
        for id in ("cust-1001", "cust-1002", "cust-10", "115", "2002", "20020815", "2026", "4711", "20260520")
    },
    invoices={
        "INV-0000000001": an_invoice("cust-1001"),
        "INV-0000000012": an_invoice("cust-1002"),
        "INV-0000000115": an_invoice("2002"),
    },
)


def whose(**fields: object) -> str:
    """Whose account takes a line's money, or why none does."""
    to = route(a_line(**fields), KNOWN)
    return str(to.reason or to.account_id)


@pytest.mark.parametrize(
    "text",
    [
        "INV-0000000012",
        "Rechnung INV 12 danke",
        "inv12.",
        "(INV-12)",
        "Nr.INV-12",
        "Zahlung Mai Kunde Muster INV-000000001\n2 danke",
        "Zahlung Mai Kunde Muster INV-000000001 2 danke",
        "Zahlung Mai Kunde Muster INV-00000\n00012",
        "Zahlung Mai Kunde Muster IN\nV-0000000012",
        "Zahlung Mai Kunde Muster INV-\n0000000012 und Dank",
        "Rechnung INV - 0000000012",
        "Rechnung INV- 12",
        "Rechnung INV\u201312 vom 20.05.",
        "Rechnung INV: 12",
        "Rechnung INV.0000000012",
        "Rechnung INV-0000 0000 12 danke",
        "Rechnung INV-00 00\n00 00 12",
        "RF23 INV0 0000 0001 2",
        "Ref. rf23 inv0 0000 0001 2 Miete Mai",
        "RF23INV000\n0000012",
        "customer:cust-1002",
        "cust-1002,May",
        "cust\u20101002",
        "cust\u20131002 Mai",
        "cust-\u200b1002",
        "INV-\u00ad0000\u200d000012",
    ],
)
def test_a_number_is_read_whole_however_payer_and_bank_wrote_it(text: str) -> None:
    assert whose(text=text) == "cust-1002"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/TRTP/SEPA OVERBOEKING/IBAN/NL20INGB0001234567/NAME/A SMITH/REMI/cust-1002/EREF/NOTPROVIDED", "cust-1002"),
        ("/REMI/USTD//cust-1002/", "cust-1002"),
        ("/VS/20020815/SS/0/KS/0308", "account_unknown"),
        ("/VS/cust-1002/SS/0/KS/0308", "cust-1002"),
        ("/VAT/1,00/IDC/1234567890/INV/INV-0000000012/TXT/za maj", "cust-1002"),
        # What has other slashes within is another word, as is what a line's end may have cut.
        ("/REMI/cust-1002/2/EREF/7", "account_unknown"),
        ("/REMI/INV-0000000012/2026/EREF/7", "account_unknown"),
        ("/REMI/Zahlung Mai INV-000000001\n2 danke", "cust-1002"),
        ("/REMI/cust-1002/EREF/cust-1001/", "account_ambiguous"),
        ("cust-1002/2", "account_unknown"),
        ("https://example.com/cust-1002/NAME", "account_unknown"),
        ("cust-1002!", "cust-1002"),
        ("kunde\u20102002", "account_unknown"),
        ("kunde-\u200b2002", "account_unknown"),
    ],
)
def test_what_a_bank_puts_between_tags_is_a_word_of_its_own(text: str, expected: str) -> None:
    assert whose(text=text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "KINV1", "inv1a", "INV-1-2026", "INV-1/2026", "INV-1.05", "INV_1", "A-INV-1", "INV-1_2", "2026-INV-1", "INV1é",
        "INV2026-0000000001", "INV-00000000001", "INV-0000 000", "INV-0000 0000 123",
        "INV-1/ 2026", "INV-1 -2026", "INV-1 /2026", "RF10 INV0 0000 0000 1",
        "RF24 INV0 0000 0001 2", "xcust-1001", "cust-10012", "cust-1001-2026",
    ],
)  # fmt: skip
def test_a_number_that_is_part_of_another_is_somebody_elses(text: str) -> None:
    assert whose(text=text) == "account_unknown"


@pytest.mark.parametrize(
    "text",
    [
        "K{}INV1 danke",
        "A-{}INV-1",
        "INV-1{}-2026",
        "INV-1-{}2026",
        "INV-1{}2/2026",
        "INV-1{}a",
        "x{}cust-1001",
        "cust-10{}01-7",
    ],
)
@pytest.mark.parametrize("width", [27, 35, 65, 70, 140])
def test_half_of_somebody_elses_number_at_the_end_of_a_banks_line_names_nobody(text: str, width: int) -> None:
    first = text.partition("{}")[0]
    line = f"{'Zahlung '.ljust(width - len(first), '.')}{first}"

    assert whose(text=text.replace(first + "{}", f"{line}\n", 1)) == "account_unknown"


@pytest.mark.parametrize("cut", ["\n", " "])
@pytest.mark.parametrize("width", [27, 35, 65, 70])
@pytest.mark.parametrize("number", ["INV-12", "INV-0000000012", "RF23 INV0 0000 0001 2", "rf23inv0000000012"])
def test_a_number_is_read_whole_wherever_a_bank_cuts_its_line(number: str, width: int, cut: str) -> None:
    for place in range(1, len(number)):
        text = f"{'Zahlung '.ljust(width - place, '.')[:-1]} {number} danke"

        # Half of it may be another customer's number: then nobody can tell.
        assert whose(text=cut.join((text[:width], text[width:]))) in {
            "cust-1002",
            "account_ambiguous",
            "account_unknown",
        }
        if number != "INV-12":
            assert whose(text=cut.join((text[:width], text[width:]))) == "cust-1002"


@pytest.mark.parametrize("text", ["Miete Mai 2026", "Zahlung vom 20260520", "2026", "vom 15082002 20020815"])
def test_a_year_or_a_day_in_a_text_is_nobodys_account(text: str) -> None:
    assert whose(text=text) == "account_unknown"


@pytest.mark.parametrize(
    ("text", "account"),
    [
        ("INV-0000000012 Mai 2026", "cust-1002"),
        ("4711 Musterstadt, INV-12", "cust-1002"),
        ("cust-1001 10115 Berlin 2026", "cust-1001"),
        ("Kunde 4711", "4711"),
        ("Kunde 4711 vom 20.05.2026", "4711"),
    ],
)
def test_a_short_number_counts_where_nothing_better_is_named(text: str, account: str) -> None:
    assert whose(text=text) == account


def test_a_field_for_references_may_hold_any_number() -> None:
    assert whose(structured_reference="2026") == "2026"
    assert whose(account_id="20260520") == "20260520"


@pytest.mark.parametrize(
    "text",
    [
        "INV-1 and INV-12",
        "INV-1,INV-12",
        "INV-1/INV-12",
        "INV-1;cust-1002",
        "INV-1\n2 pieces",
        "cust-1001 INV-12",
        "Kunde cust-10\n02",
    ],
)
def test_what_can_be_read_in_two_ways_is_nobodys_for_certain(text: str) -> None:
    assert whose(text=text) == "account_ambiguous"


def test_every_structured_reference_counts() -> None:
    both = {"structured_reference": "INV-0000000001", "other_references": ("INV-0000000012",)}

    assert whose(**both) == "account_ambiguous"
    assert whose(structured_reference="of theirs", other_references=("RF29INV0000000001",)) == "cust-1001"


def test_a_document_names_an_invoice_and_no_account() -> None:
    assert whose(documents=("INV-0000000012",)) == "cust-1002"
    assert whose(documents=("20020815",)) == "account_unknown"


@pytest.mark.parametrize(
    ("end_to_end", "text", "account"),
    [
        ("115", "Payment of INV-0000000115", "2002"),
        ("cust-1001", "Payment of INV-0000000012", "cust-1002"),
        ("cust-1001", "no number at all", "cust-1001"),
        ("115", "no number at all", "account_unknown"),
        ("2002", "no number at all", "account_unknown"),
        ("20020815", "no number at all", "20020815"),
        ("INV-0000000012", "", "cust-1002"),
    ],
)
def test_the_payers_own_number_counts_least(end_to_end: str, text: str, account: str) -> None:
    assert whose(end_to_end_id=end_to_end, text=text) == account


def test_an_invoice_that_the_payers_number_names_too_is_paid_first() -> None:
    line = a_line(end_to_end_id="INV-0000000012", text="cust-1002")

    assert route(line, KNOWN) == Route("cust-1002", ("ft-of-cust-1002",))


def test_a_batch_that_nobody_can_split_waits_whoever_is_named() -> None:
    assert route(a_line(text="cust-1001", is_unsplit=True), KNOWN).reason is SuspenseReason.DETAILS_DIFFER


def test_a_series_that_begins_anew_each_year_is_cut_and_bounded_like_the_others() -> None:
    series = NumberSeries("INV", is_per_year=True)

    assert list(series.numbers_in("INV2026-0000000012 inv2026/7 INV2026-1-2 XINV2026-1")) == [
        "INV2026-0000000012",
        "INV2026-0000000007",
    ]
    assert list(series.numbers_in("INV2026-000000001 2 danke")) == ["INV2026-0000000012"]


@pytest.mark.parametrize(
    ("prefix", "text", "numbers"),
    [
        ("A", "Haus A 12, A-12, A12, A.12", []),
        ("A", "A-0000000012 a0000000013", ["A-0000000012", "A-0000000013"]),
        ("A", "A-000000001 2", ["A-0000000012"]),
        ("RE", "Re 12 Musterstadt", []),
        ("RE", "Re-12, RE: 13, RE14", ["RE-0000000012", "RE-0000000013", "RE-0000000014"]),
        ("INV", "Inv 12, INV13", ["INV-0000000012", "INV-0000000013"]),
    ],
)
def test_behind_a_short_prefix_a_number_has_all_its_digits_or_no_blank(
    prefix: str, text: str, numbers: list[str]
) -> None:
    assert list(NumberSeries(prefix).numbers_in(text)) == numbers
