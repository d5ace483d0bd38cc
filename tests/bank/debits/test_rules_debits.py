"""Days, references and files of bank debits: values in, values out."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from lxml import etree

from activities.bank.debits.debit_answers import code_of, suspends_mandate
from activities.bank.debits.debit_file import as_pain_008
from models.bank.debit import Creditor, WrittenDebit
from models.bank.mandate import reference_is_written_well
from models.bank.working_days import announced_collection, earliest_collection, is_working_day
from models.money import Money

MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)
BERLIN = "Europe/Berlin"
DAYS = st.dates(date(2000, 1, 1), date(2098, 12, 31))


@pytest.mark.parametrize(
    "easter", [date(2000, 4, 23), date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5), date(2038, 4, 25)]
)
def test_the_bank_works_on_all_weekdays_but_six(easter: date) -> None:
    closed = {easter - timedelta(2), easter + timedelta(1)}
    closed |= {date(easter.year, *one) for one in ((1, 1), (5, 1), (12, 25), (12, 26))}
    days = [date(easter.year, 1, 1) + timedelta(n) for n in range(365)]

    assert [day for day in days if not is_working_day(day) and day.weekday() < 5] == sorted(
        day for day in closed if day.weekday() < 5
    )


@given(DAYS, st.integers(0, 23), st.integers(1, 14), st.integers(0, 60))
def test_a_collection_is_on_a_working_day_that_notice_and_bank_allow(
    day: date, hour: int, lead: int, notice: int
) -> None:
    now = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    soonest = earliest_collection(now, lead_days=lead, cut_off="12:00", time_zone=BERLIN)
    announced = announced_collection(now, notice_days=notice, lead_days=lead, cut_off="12:00", time_zone=BERLIN)

    between = [day + timedelta(n) for n in range(1, (soonest - day).days + 1)]
    assert sum(is_working_day(one) for one in between) >= lead
    assert is_working_day(announced)
    assert announced >= max(soonest, day + timedelta(notice))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 4, 2, 9, 59, tzinfo=UTC), date(2026, 4, 7)),  # Maundy Thursday, 11:59: Easter is in between
        (datetime(2026, 4, 2, 10, 0, tzinfo=UTC), date(2026, 4, 8)),
        (datetime(2026, 12, 24, 9, tzinfo=UTC), date(2026, 12, 28)),
    ],
)
def test_what_comes_after_the_cut_off_counts_from_the_next_working_day(now: datetime, expected: date) -> None:
    assert earliest_collection(now, lead_days=1, cut_off="12:00", time_zone=BERLIN) == expected


@pytest.mark.parametrize("reference", ["M-1", "A/B", "x" * 35, "(2026)+?:.,'"])
def test_a_mandate_may_have_such_a_reference(reference: str) -> None:
    assert reference_is_written_well(reference)


@pytest.mark.parametrize("reference", ["", "/M", "M/", "A//B", "x" * 36, "ä", "A B", "M-1\n"])
def test_a_mandate_may_not_have_such_a_reference(reference: str) -> None:
    assert not reference_is_written_well(reference)


@pytest.mark.parametrize(("reason", "code"), [("AC04 closed", "AC04"), ("", "MS03"), ("because", "MS03")])
def test_the_code_is_what_a_bank_s_reason_begins_with(reason: str, code: str) -> None:
    assert code_of(reason) == code


def test_a_reason_that_says_nothing_of_the_mandate_leaves_it_in_use() -> None:
    assert [code for code in ("AC04", "AM04", "MD01", "MS03", "MD06", "AG02") if suspends_mandate(code)] == [
        "AC04",
        "MD01",
        "MD06",
    ]


TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co"]), min_size=1, max_size=70)
DEBITS = st.lists(
    st.builds(
        WrittenDebit,
        id=st.just("DD-1"),
        payment_information=st.just("DDB-1-1"),
        amount=st.builds(Money, st.integers(1, 99_999_999_999), st.just("EUR")),
        sequence_type=st.sampled_from(["FRST", "RCUR"]),
        collect_on=DAYS,
        mandate=st.sampled_from(["M-1", "A/B", "x" * 35]),
        signed_on=DAYS,
        payer=TEXTS,
        iban=st.sampled_from(["DE89370400440532013000", "FR7630006000011234567890189"]),
        bic=st.sampled_from(["", "COBADEFF", "COBADEFFXXX"]),
        text=TEXTS | st.just(""),
        is_amended=st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


# A schema takes a second to read, and as often as an example is made smaller.
@settings(max_examples=5, phases=[Phase.generate])
@given(DEBITS, st.sampled_from(["02", "08", "09", "10"]), st.sampled_from(["CORE", "B2B"]))
def test_every_file_fits_the_schema_and_comes_to_its_debits(
    debits: list[WrittenDebit], version: str, scheme: str
) -> None:
    creditor = Creditor("Company ZX", "NL91ABNA0417164300", "ABNANL2A", "DE98ZZZ09999999999", scheme, version)

    content = as_pain_008("DDB-1", MOMENT, creditor, [replace(one, id=f"DD-{n}") for n, one in enumerate(debits)])

    root = etree.fromstring(content)
    total = Money(sum(one.amount.amount_minor for one in debits), "EUR").to_decimal()
    assert root.findtext(".//{*}GrpHdr/{*}CtrlSum") == str(total)
    assert root.findtext(".//{*}GrpHdr/{*}NbOfTxs") == str(len(debits))
    assert len(root.findall(".//{*}AmdmntInd")) == sum(one.is_amended for one in debits)
