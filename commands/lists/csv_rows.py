"""Rows as CSV: amounts in major units, all else as in JSON, but for texts that a spreadsheet would calculate."""

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from activities.reports.text_files import safe_text
from commands.formatting import amount

_MINOR = "_minor"
# Amounts that are in another currency than their row's, where no column is named after them.
_CURRENCIES = {"fee_minor": "settled_currency", "credit_limit_minor": "currency"}


class CsvRows:
    """Writes rows to standard output; the first ones say which columns there are."""

    def __init__(self) -> None:
        self._names: Sequence[str] | None = None
        self._writer = csv.writer(sys.stdout, lineterminator="\n")

    def write(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Write a page of rows, behind a line of names if they are the first."""
        for document in documents:
            if self._names is None:
                self._names = list(document)
                self._writer.writerow(name.removesuffix(_MINOR) for name in self._names)
            self._writer.writerow(_cell(document, name) for name in self._names)


def _cell(document: Mapping[str, Any], name: str) -> object:
    value = document.get(name)
    if value is None:
        return ""
    if name.endswith(_MINOR):
        currency = document.get(_currency_of(document, name))
        return amount(value, currency) if currency else value
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return safe_text(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _currency_of(document: Mapping[str, Any], name: str) -> str:
    own = f"{name.removesuffix(_MINOR)}_currency"
    if own in document:
        return own
    other = _CURRENCIES.get(name, "currency")
    return other if other in document else "currency"
