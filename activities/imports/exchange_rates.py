"""Files of reference rates of exchange: read, and kept for the days that documents are posted on."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from lxml import etree
from psycopg.types.json import Jsonb

from activities.database import Database
from activities.documents import foreign_xml
from models.imports.exchange_rates import DATE_COLUMN, RateReader, ReferenceRate, columns_of_rates
from models.problem import Problem, refusal

# As many as one statement keeps; the whole history has a quarter of a million.
PAGE = 5_000
# As many bytes as no file of rates has: that of all days since 1999 has a twentieth.
BYTES_MAX = 64 * 1024 * 1024
_KEEP = "select * from duly.import_exchange_rates(:rates, :replaces, :actor)"
_CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"


def rates_in(path: Path, today: date) -> Iterator[ReferenceRate | Problem]:
    """Yield the rates of a file, XML or CSV, and the problems of its bad rows. Raises RefusedError: it is neither."""
    if path.stat().st_size > BYTES_MAX:
        raise refusal("file", "file_size", f"{path.name} has more than {BYTES_MAX // 1024 // 1024} MiB")
    content = path.read_bytes()
    reader = RateReader(path.name, today)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refusal("file", "utf8", f"{path.name} is no text in UTF-8") from error
    return _of_xml(content, path.name, reader) if text.lstrip().startswith("<") else _of_csv(text, path.name, reader)


def _of_xml(content: bytes, name: str, reader: RateReader) -> Iterator[ReferenceRate | Problem]:
    try:
        root = foreign_xml(content)
    except etree.XMLSyntaxError as error:
        raise refusal("file", "xml_well_formed", f"{name} is cut or damaged: {error}"[:200]) from error
    days = [cube for cube in root.iter(_CUBE) if cube.get("time") is not None]
    if not days:
        raise refusal("file", "rates_in_file", f"{name} has no day with rates, as eurofxref-daily.xml has")
    for day in days:
        rates = [(one.get("currency", ""), one.get("rate", "")) for one in day.iterchildren(_CUBE)]
        yield from reader.day_rates(int(getattr(day, "sourceline", None) or 0), str(day.get("time")), rates)


def _of_csv(text: str, name: str, reader: RateReader) -> Iterator[ReferenceRate | Problem]:
    rows = csv.reader(text.splitlines(), skipinitialspace=True)
    try:
        yield from _of_rows(rows, name, reader)
    except csv.Error as error:
        # Nobody knows where the next row begins; what was read before stands.
        yield Problem("row", "csv", f"is malformed: {error}", name, rows.line_num)


def _of_rows(rows: Any, name: str, reader: RateReader) -> Iterator[ReferenceRate | Problem]:
    header: list[str] = next((row for row in rows if any(cell.strip() for cell in row)), [])
    columns = columns_of_rates(header)
    if not header or header[0].strip().lower() != DATE_COLUMN or not columns:
        raise refusal("file", "rates_in_file", f"{name} does not begin with Date and currencies, as eurofxref.csv does")
    for row in rows:
        if any(cell.strip() for cell in row):
            rates = [(columns[place], cell) for place, cell in enumerate(row) if place in columns]
            beyond = [cell for place, cell in enumerate(row) if place > max(columns) and cell.strip()]
            if beyond or len(row) <= max(columns):
                what = f"has {len(row)} cells, and the first line names {max(columns) + 1}"
                yield Problem("row", "cells_of_header", what, name, rows.line_num)
            else:
                yield from reader.day_rates(rows.line_num, row[0], rates)


class ExchangeRates:
    """Keeps reference rates."""

    def __init__(self, database: Database, *, actor: str, replaces: bool) -> None:
        self._database = database
        self._actor = actor
        self._replaces = replaces
        self.counts: Counter[str] = Counter()

    async def keep(self, rates: Sequence[ReferenceRate]) -> list[Problem]:
        """Keep a page of rates, and return a problem for each of which another value is kept."""
        given = [
            {"currency": one.currency, "rate_on": one.rate_on.isoformat(), "per_euro": str(one.per_euro)}
            for one in rates
        ]
        kept = await self._database.rows(_KEEP, rates=Jsonb(given), replaces=self._replaces, actor=self._actor)
        self.counts.update(str(row.outcome) for row in kept)
        return [
            Problem(
                "rate",
                "rate_stays",
                f"another one is kept, {row.per_euro.normalize():f}: --replace takes the file's",
                id=f"{row.currency} of {row.rate_on}",
            )
            for row in kept
            if row.outcome == "differs"
        ]
