"""Whether a line of a statement has come before, whatever file brought it."""

from dataclasses import replace
from datetime import date

import pytest

from models.bank.identity import KnownLine, LineIdentity, is_one_account
from models.bank.recognition import Doubt, KnownDay, recognise

IBAN = "DE89370400440532013000"
ONE = LineIdentity(date(2026, 5, 20), "B1", 2000, "EUR", IBAN, content="aa", kind="camt053", statement="S1")
BARE = replace(ONE, reference="")


def known(*lines: LineIdentity, is_of_this_file: bool = False) -> KnownDay:
    day = KnownDay()
    for one in lines:
        line = KnownLine.read(one.key)
        assert line is not None
        day.add(replace(line, is_of_this_file=is_of_this_file))
    return day


def verdict(one: LineIdentity, *before: LineIdentity) -> str:
    """What is found of a line: new, known, or in which doubt it is."""
    found = recognise(one, known(*before))
    return "new" if found is None else str(found.doubt or "known")


@pytest.mark.parametrize("reference", ["B1", "", "a:b@c#1/2", "x" * 100, "Überweisung 7"])
def test_a_key_says_what_it_was_made_of_and_fits_the_ledger(reference: str) -> None:
    line = replace(ONE, reference=reference, occurrence=2, position="17", place=3)

    read = KnownLine.read(line.key)

    assert read is not None
    assert (read.amount_minor, read.currency, read.occurrence, read.place, read.kind) == (2000, "EUR", 2, 3, "camt053")
    assert read.account == IBAN
    assert len(line.key) <= 200


@pytest.mark.parametrize(
    ("one", "before", "expected"),
    [
        (ONE, ONE, "known"),
        (ONE, replace(ONE, amount_minor=-2000), "new"),
        (ONE, replace(ONE, account="NL91ABNA0417164300"), "new"),
        (ONE, replace(ONE, account=""), "known"),
        # Fetched again, a statement has another name.
        (ONE, replace(ONE, statement="S9"), "known"),
        # A reference that payments share, in one statement and in two.
        (replace(ONE, content="bb"), ONE, "another_content"),
        (replace(ONE, amount_minor=2200), ONE, "another_amount"),
        (replace(ONE, amount_minor=2200, statement="S2"), ONE, "new"),
        (replace(ONE, occurrence=2), ONE, "new"),
        (replace(ONE, content="bb", statement="S2"), ONE, "another_content"),
        # Other kinds of files say the same in other words.
        (ONE, replace(ONE, kind="camt052", content="bb", statement="R7"), "known"),
        (ONE, replace(ONE, kind="csv", content="", statement="", account=""), "known"),
        (replace(ONE, occurrence=2), replace(ONE, kind="camt052", statement="R7"), "new"),
        (ONE, replace(BARE, kind="mt940", content="cc"), "perhaps_known"),
    ],
)
def test_a_line_with_a_reference_is_known_again(one: LineIdentity, before: LineIdentity, expected: str) -> None:
    assert verdict(one, before) == expected


def test_a_reference_that_comes_again_on_another_day_has_a_key_of_its_own() -> None:
    assert replace(ONE, booked_on=date(2027, 5, 20)).key.partition(":B1")[0] != ONE.key.partition(":B1")[0]


@pytest.mark.parametrize(
    ("one", "before", "expected"),
    [
        (BARE, BARE, "known"),
        (replace(BARE, occurrence=2), BARE, "new"),
        (replace(BARE, position="2"), replace(BARE, position="1"), "new"),
        (replace(BARE, content="bb"), BARE, "new"),
        # Nobody can say whether this is the same or one that looks the same.
        (replace(BARE, statement="S2"), BARE, "another_statement"),
        (BARE, replace(BARE, kind="camt054", statement="N1"), "known"),
        (BARE, replace(BARE, kind="camt054", statement="N1", content="bb"), "perhaps_known"),
        (BARE, replace(ONE, kind="csv", content="", statement=""), "perhaps_known"),
    ],
)
def test_a_line_without_a_reference_is_known_by_what_it_says(
    one: LineIdentity, before: LineIdentity, expected: str
) -> None:
    assert verdict(one, before) == expected


def test_in_one_file_a_reference_may_be_shared() -> None:
    above = known(ONE, is_of_this_file=True)

    assert recognise(replace(ONE, content="bb"), above) is None
    assert recognise(replace(ONE, amount_minor=2200), above) is None


def test_an_entry_that_came_whole_is_not_brought_again_by_its_details() -> None:
    assert verdict(ONE.of_detail(2), ONE) == "known"
    assert verdict(ONE, ONE.of_detail(1)) == "known"
    assert verdict(ONE.of_detail(2), ONE.of_detail(1)) == "new"


def test_a_batch_without_references_that_comes_again_in_other_detail_is_doubted() -> None:
    whole, details = BARE, [replace(BARE, content="bb", place=place, statement="S2") for place in (1, 2)]

    assert [verdict(one, whole) for one in details] == ["another_statement"] * 2
    assert verdict(whole, *details) == "another_statement"
    # Within a file they are two, as the bank says them; and so are two batches of other details, or two entries.
    assert recognise(whole.of_detail(0), known(*details, is_of_this_file=True)) is None
    assert verdict(replace(details[0], content="cc", statement="S3"), *details) == "new"
    assert verdict(replace(whole, content="cc", statement="S3"), whole) == "new"


def test_a_row_of_csv_that_comes_with_another_amount_is_doubted() -> None:
    row = replace(ONE, kind="csv", content="", statement="")

    found = recognise(replace(row, amount_minor=2100), known(row))

    assert found is not None
    assert found.doubt is Doubt.ANOTHER_AMOUNT


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        (IBAN, "DE89 3704 0044 0532 0130 00", True),
        (IBAN, "", True),
        (IBAN, "37040044/0532013000", True),
        (IBAN, "NL91ABNA0417164300", False),
        ("0532013000", "0532013001", False),
    ],
)
def test_an_account_is_one_however_it_is_written(one: str, other: str, is_one: bool) -> None:
    assert is_one_account(one, other) is is_one
