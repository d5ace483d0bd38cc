"""Files of the European Central Bank's reference rates: each form is read, and each bad row is named."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from activities.imports.exchange_rates import rates_in
from models.imports.exchange_rates import ReferenceRate
from models.problem import Problem, RefusedError

TODAY = date(2026, 11, 30)
DAY = date(2026, 11, 27)
XML = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
 <gesmes:subject>Reference rates</gesmes:subject>
 <gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
 <Cube>
  <Cube time='2026-11-27'><Cube currency='USD' rate='1.0573'/><Cube currency='JPY' rate='163.2'/></Cube>
  <Cube time='2026-11-26'><Cube currency='USD' rate='1.0551'/></Cube>
 </Cube>
</gesmes:Envelope>
"""


def read(path: Path, content: str) -> list[ReferenceRate | Problem]:
    """Read a file with that content."""
    path.write_text(content, encoding="utf-8")
    return list(rates_in(path, TODAY))


def test_each_form_of_the_banks_files_is_read(tmp_path: Path) -> None:
    dollars, yen = ReferenceRate("USD", DAY, Decimal("1.0573")), ReferenceRate("JPY", DAY, Decimal("163.2"))
    before = ReferenceRate("USD", date(2026, 11, 26), Decimal("1.0551"))

    assert read(tmp_path / "hist.xml", XML) == [dollars, yen, before]
    assert read(tmp_path / "daily.csv", "Date, USD, JPY, \n27 November 2026, 1.0573, 163.2, \n") == [dollars, yen]
    history = "\ufeffDate,USD,JPY,\r\n2026-11-27,1.0573,163.2,\r\n2026-11-26,1.0551,N/A,\r\n"
    assert read(tmp_path / "hist.csv", history) == [dollars, yen, before]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("2026-11-31,1.0573", "date_written"),
        ("2026-12-01,1.0573", "date_in_range"),
        ("1998-12-31,1.0573", "date_in_range"),
        ("2026-11-27,-1.0573", "rate_written"),
        ("2026-11-27,0", "rate_written"),
        ("2026-11-27,NaN", "rate_written"),
        ("2026-11-27,1e3", "rate_written"),
        ("2026-11-27,\u0661", "rate_written"),
        ("2026-11-27,1,0573", "cells_of_header"),
        ("2026-11-27", "cells_of_header"),
        ("2026-11-26,1.5", "rate_once"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(tmp_path: Path, row: str, rule: str) -> None:
    first, second = read(tmp_path / "own.csv", f"Date,USD\n2026-11-26,1.0551\n{row}\n")

    assert first == ReferenceRate("USD", date(2026, 11, 26), Decimal("1.0551"))
    assert isinstance(second, Problem)
    assert (second.rule, second.source, second.line) == (rule, "own.csv", 3)


@pytest.mark.parametrize("content", ["", "Currency,Rate\nUSD,1\n", "<a/>", XML[:300], "Date\n2026-11-27\n"])
def test_what_is_no_file_of_rates_is_refused_whole(tmp_path: Path, content: str) -> None:
    with pytest.raises(RefusedError, match="file:"):
        read(tmp_path / "other.csv", content)


def test_a_file_of_rates_brings_nothing_in(tmp_path: Path) -> None:
    evil = XML.replace(
        "<gesmes:Envelope", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><gesmes:Envelope', 1
    )

    with pytest.raises(RefusedError, match="xml_well_formed"):
        read(tmp_path / "evil.xml", evil.replace("rate='163.2'", "rate='&e;'"))
