"""The columns of the CSV files that people and banks bring, and how a row becomes named cells (S48, F120, F122)."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from models.card_number import NO_CARD_NUMBER, REFUSED, holds_card_number
from models.printable import is_printable
from models.problem import Problem, RefusedError

ACCOUNTS, SUBSCRIPTIONS, CARDS = "accounts", "subscriptions", "cards"
BANK, PAYEES, ANSWERS = "bank", "payees", "answers"
SENT_REFUNDS = "sent_refunds"
AWARDS = "awards"
PAYMENT_REQUESTS = "payment_requests"

# Files of the bank: the money is real, so nothing is refused for what a payer wrote. It is kept without card numbers.
OF_THE_BANK = frozenset({BANK, ANSWERS, SENT_REFUNDS})

# What ends a line within a cell of a bank's file.
LINE_END = "\n"
# As much of an id as an error shows.
ID_SHOWN = 100
# No name, address or reference is longer.
CELL_MAX = 1000


@dataclass(frozen=True)
class ImportColumn:
    """One column of an import file. A default of None means that every row must fill it in."""

    name: str
    meaning: str
    default: str | None = ""


COLUMNS = MappingProxyType(
    {
        ACCOUNTS: (
            ImportColumn("account_id", "your reference of the account, 1 to 64 characters without blanks", None),
            ImportColumn("owner_name", "who owes", None),
            ImportColumn("currency", "ISO 4217, upper case", None),
            ImportColumn("email", "where payment messages go"),
            ImportColumn("locale", "language of messages, such as en or el_CY", "en"),
            ImportColumn("time_zone", "IANA name, such as Europe/Nicosia", "UTC"),
            ImportColumn("owner_reference", "the owner's number in another system"),
            ImportColumn("credit_limit", "most the account may owe, such as 100.00"),
            ImportColumn("credit_period_days", "days by which due dates differ from the rule, -366 to 366"),
            ImportColumn("due_date_rule", "id of a due date rule"),
            ImportColumn("region", "for reports"),
            ImportColumn("segment", "for reports, dunning policies and run definitions, such as business"),
            ImportColumn("classification", "for run definitions, such as vip"),
            ImportColumn("payment_method", "how the account pays from now on, such as bank_transfer"),
        ),
        SUBSCRIPTIONS: (
            ImportColumn("subscription_id", "your reference of the subscription", None),
            ImportColumn("account_id", "an account of the accounts file", None),
            ImportColumn("product_id", "a product that is configured", None),
            ImportColumn("price", "price of one piece a billing period before tax, such as 9.99", None),
            ImportColumn("currency", "the account's currency", None),
            ImportColumn("billing_day", "1 to 31; a day the month lacks becomes its last", None),
            ImportColumn("starts_on", "first day, such as 2026-11-01", None),
            ImportColumn("ends_on", "first day without it"),
            ImportColumn("quantity", "pieces", "1"),
            ImportColumn("term", "billing period of a new one: month, quarter or year", "month"),
            ImportColumn("trial_until", "first day of a new one that is not free"),
            ImportColumn("discount", "off a new one's price: 20% or an amount such as 5.00"),
            ImportColumn("discount_until", "first day without the discount"),
        ),
        CARDS: (
            ImportColumn("account_id", "an account of the accounts file", None),
            ImportColumn("customer", "the gateway's reference of the customer, such as cus_…", None),
            ImportColumn("token", "the gateway's reference of the card, such as pm_…; never a card number", None),
            ImportColumn("brand", "such as visa", None),
            ImportColumn("last4", "the last four digits", None),
            ImportColumn("exp_month", "1 to 12", None),
            ImportColumn("exp_year", "four digits", None),
            ImportColumn("recurring", "yes or no: may the monthly run charge it", "no"),
            ImportColumn("fallback_order", "1 is charged first", "1"),
        ),
        BANK: (
            ImportColumn("bank_reference", "the bank's own reference of the line: it is imported once", None),
            ImportColumn("booked_on", "day of booking, such as 2026-11-01", None),
            ImportColumn("amount", "such as 12.50; below 0 for money that left", None),
            ImportColumn("currency", "ISO 4217, upper case", None),
            ImportColumn("account_id", "the account, if the bank or the payer names it"),
            ImportColumn("structured_reference", "ISO 11649 (RF…) or another reference of account or invoice"),
            ImportColumn("text", "what the payer wrote; accounts and invoice numbers are found in it"),
            ImportColumn("payer", "who paid"),
            ImportColumn("owner_reference", "the owner's number; must be the account's, if both have one"),
            ImportColumn("bank_account", "your account at the bank, if the file holds several"),
        ),
        PAYEES: (
            ImportColumn("account_id", "the account to refund", None),
            ImportColumn("name", "who is paid", None),
            ImportColumn("iban", "where to; checked by its check digits", None),
            ImportColumn("bic", "the bank's code, where the bank asks for it"),
        ),
        ANSWERS: (
            ImportColumn("reference", "the refund's reference number, as exported", None),
            ImportColumn("status", "paid, rejected or pending", None),
            ImportColumn("amount", "such as 12.50; must be the refund's"),
            ImportColumn("reason", "why it was rejected"),
        ),
        SENT_REFUNDS: (
            ImportColumn("reference", "the refund's reference number", None),
            ImportColumn("account_id", "whose refund it is", None),
            ImportColumn("name", "who is paid"),
            ImportColumn("iban", "where to"),
            ImportColumn("bic", "the bank's code"),
            ImportColumn("amount", "such as 12.50", None),
            ImportColumn("currency", "ISO 4217, upper case", None),
            ImportColumn("description", "which month's it is, such as Refund 2026-11", None),
        ),
        AWARDS: (
            ImportColumn("award_id", "the reward's own reference: the same award is one reduction", None),
            ImportColumn("merchant_id", "a merchant of the merchants file", None),
            ImportColumn("account_id", "whose reward it is", None),
            ImportColumn("amount", "such as 2.50", None),
            ImportColumn("currency", "the merchant's and the account's", None),
            ImportColumn("payment_id", "the payment of the sale, if it is known"),
        ),
        PAYMENT_REQUESTS: (
            ImportColumn("request_id", "your id of it: the same id is the same request", None),
            ImportColumn("account_id", "who is asked", None),
            ImportColumn("title", "what is to be paid, as the payer reads it", None),
            ImportColumn("amount", "such as 12.50; of the invoices, or on account; suggested where the payer chooses"),
            ImportColumn("currency", "the account's", None),
            ImportColumn("invoices", "ids or numbers, with blanks between"),
            ImportColumn("least", "the payer chooses the amount: so much at least"),
            ImportColumn("most", "so much at most"),
            ImportColumn("description", "more about it, for the payer"),
            ImportColumn("valid_days", "its link is good so long", "14"),
            ImportColumn("valid_for", "instead of valid_days: 90s, 45m, 12h or 3d"),
            ImportColumn(
                "mail", "yes: the account's address, or each payer's, gets a link and reminders; or no", "yes"
            ),
            ImportColumn("sender_email", "who is told when it is paid"),
            ImportColumn(
                "payers", "addresses that get a link instead, with blanks between; who pays first pays for all"
            ),
            ImportColumn("owner_name", "makes the account, where there is none, for this person"),
            ImportColumn("owner_email", "the address of the account that is made"),
        ),
    }
)

# The column that says which row it is, in an error.
ID_COLUMNS = MappingProxyType(
    {
        ACCOUNTS: "account_id",
        SUBSCRIPTIONS: "subscription_id",
        CARDS: "token",
        BANK: "bank_reference",
        PAYEES: "account_id",
        ANSWERS: "reference",
        SENT_REFUNDS: "reference",
        AWARDS: "award_id",
        PAYMENT_REQUESTS: "request_id",
    }
)

Header = tuple[str, ...]


class NamedCells(dict[str, str]):
    """The cells of a row by column, with the defaults of what is not there.

    `absent` are the columns that the file does not have, `empty` those that the row leaves empty.
    """

    def __init__(self, cells: Mapping[str, str], absent: frozenset[str], empty: frozenset[str]) -> None:
        super().__init__(cells)
        self.absent = absent
        self.empty = empty


def read_header(source: str, cells: Sequence[str]) -> Header:
    """Return the columns' names in a file's order. Raises RefusedError: one is missing, unknown, or there twice."""
    names = tuple(cell.strip().lower() for cell in cells)
    known = {column.name: column for column in COLUMNS[source]}
    unknown = [name for name in names if name not in known]
    problems = [
        *(_problem(source, 1, name, "column_required", "the column is missing") for name in _missing(known, names)),
        *(
            _problem(source, 1, _shown(name), "column_known", "is no column of this file" + meant)
            for name, meant in zip(unknown, (f"; it may have {', '.join(known)}", *("" for _ in unknown)), strict=False)
        ),
        *(
            _problem(source, 1, name, "column_once", "the column is there twice")
            for name in known
            if names.count(name) > 1
        ),
    ]
    if problems:
        raise RefusedError(problems)
    return names


def cells_of(source: str, line: int, header: Header, row: Sequence[str]) -> NamedCells:
    """Name a row's cells and fill in the defaults.

    Raises RefusedError: a cell too many or too few, a card number anywhere, a control character, a cell too long. A
    value is in no message before it is known to be no card number.
    """
    if source in OF_THE_BANK:
        return _named_cells(source, line, header, row)
    if any(holds_card_number(cell) for cell in row):
        raise RefusedError([_problem(source, line, _card_field(header, row), NO_CARD_NUMBER, REFUSED)])
    for position, cell in enumerate(row[: len(header)]):
        if len(cell) > CELL_MAX:
            problem = f"has {len(cell)} characters, at most {CELL_MAX}"
            raise RefusedError([_problem(source, line, header[position], "text_length", problem)])
    return _named_cells(source, line, header, row)


def _named_cells(source: str, line: int, header: Header, row: Sequence[str]) -> NamedCells:
    if len(row) != len(header):
        problem = f"has {len(row)} cells, the header {len(header)}"
        raise RefusedError([_problem(source, line, "row", "column_count", problem)])
    cells = {name: cell.strip() for name, cell in zip(header, row, strict=True)}
    if source in OF_THE_BANK:
        cells = {name: cleaned(cell) for name, cell in cells.items()}
    for name, cell in cells.items():
        if any(_is_control(character) and not (source in OF_THE_BANK and character == LINE_END) for character in cell):
            raise RefusedError(
                [
                    _problem(
                        source,
                        line,
                        name,
                        "printable",
                        "holds a control character, or one that turns the direction of writing about",
                    )
                ]
            )
    filled = {column.name: cells.get(column.name) or column.default or "" for column in COLUMNS[source]}
    absent = frozenset(filled) - frozenset(cells)
    return NamedCells(filled, absent, frozenset(name for name, cell in cells.items() if not cell))


def cleaned(cell: str) -> str:
    """Return what a payer wrote, without what cannot be kept. Its lines stay: a bank cuts texts into them."""
    lines = cell.replace("\r\n", LINE_END).replace("\r", LINE_END).split(LINE_END)
    cleaned = ("".join(" " if _is_control(character) else character for character in line).strip() for line in lines)
    return LINE_END.join(line for line in cleaned if line)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc" or not is_printable(character)


def id_of(source: str, header: Header, row: Sequence[str]) -> str:
    """Return the id of a row for an error, as far as it can be read; never what may be a card number."""
    return _cell(ID_COLUMNS[source], header, row)


def account_of(header: Header, row: Sequence[str]) -> str:
    """Return the account that a row names, as far as it can be read, though the row itself is wrong."""
    return _cell("account_id", header, row)


def _cell(column: str, header: Header, row: Sequence[str]) -> str:
    position = header.index(column)
    cell = row[position].strip() if position < len(row) else ""
    return "" if holds_card_number(cell) or not cell.isprintable() else cell[:ID_SHOWN]


def _missing(known: dict[str, ImportColumn], names: Header) -> list[str]:
    return [name for name, column in known.items() if column.default is None and name not in names]


def _card_field(header: Header, row: Sequence[str]) -> str:
    position = next(position for position, cell in enumerate(row) if holds_card_number(cell))
    return header[position] if position < len(header) else f"cell {position + 1}"


def _shown(name: str) -> str:
    return "column" if holds_card_number(name) else name or "column"


def _problem(source: str, line: int, field: str, rule: str, message: str) -> Problem:
    return Problem(field, rule, message, source, line)
