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
class Column:
    """One column of an import file. A default of None means that every row must fill it in."""

    name: str
    meaning: str
    default: str | None = ""


COLUMNS = MappingProxyType(
    {
        ACCOUNTS: (
            Column("account_id", "your reference of the account, 1 to 64 characters without blanks", None),
            Column("owner_name", "who owes", None),
            Column("currency", "ISO 4217, upper case", None),
            Column("email", "where payment messages go"),
            Column("locale", "language of messages, such as en or el_CY", "en"),
            Column("time_zone", "IANA name, such as Europe/Nicosia", "UTC"),
            Column("owner_reference", "the owner's number in another system"),
            Column("credit_limit", "most the account may owe, such as 100.00"),
            Column("credit_period_days", "days by which due dates differ from the rule, -366 to 366"),
            Column("due_date_rule", "id of a due date rule"),
            Column("region", "for reports"),
            Column("segment", "for reports, dunning policies and run definitions, such as business"),
            Column("classification", "for run definitions, such as vip"),
            Column("payment_method", "how the account pays from now on, such as bank_transfer"),
        ),
        SUBSCRIPTIONS: (
            Column("subscription_id", "your reference of the subscription", None),
            Column("account_id", "an account of the accounts file", None),
            Column("product_id", "a product that is configured", None),
            Column("price", "price of one piece a billing period before tax, such as 9.99", None),
            Column("currency", "the account's currency", None),
            Column("billing_day", "1 to 31; a day the month lacks becomes its last", None),
            Column("starts_on", "first day, such as 2026-11-01", None),
            Column("ends_on", "first day without it"),
            Column("quantity", "pieces", "1"),
            Column("term", "billing period of a new one: month, quarter or year", "month"),
            Column("trial_until", "first day of a new one that is not free"),
            Column("discount", "off a new one's price: 20% or an amount such as 5.00"),
            Column("discount_until", "first day without the discount"),
        ),
        CARDS: (
            Column("account_id", "an account of the accounts file", None),
            Column("customer", "the gateway's reference of the customer, such as cus_…", None),
            Column("token", "the gateway's reference of the card, such as pm_…; never a card number", None),
            Column("brand", "such as visa", None),
            Column("last4", "the last four digits", None),
            Column("exp_month", "1 to 12", None),
            Column("exp_year", "four digits", None),
            Column("recurring", "yes or no: may the monthly run charge it", "no"),
            Column("fallback_order", "1 is charged first", "1"),
        ),
        BANK: (
            Column("bank_reference", "the bank's own reference of the line: it is imported once", None),
            Column("booked_on", "day of booking, such as 2026-11-01", None),
            Column("amount", "such as 12.50; below 0 for money that left", None),
            Column("currency", "ISO 4217, upper case", None),
            Column("account_id", "the account, if the bank or the payer names it"),
            Column("structured_reference", "ISO 11649 (RF…) or another reference of account or invoice"),
            Column("text", "what the payer wrote; accounts and invoice numbers are found in it"),
            Column("payer", "who paid"),
            Column("owner_reference", "the owner's number; must be the account's, if both have one"),
            Column("bank_account", "your account at the bank, if the file holds several"),
        ),
        PAYEES: (
            Column("account_id", "the account to refund", None),
            Column("name", "who is paid", None),
            Column("iban", "where to; checked by its check digits", None),
            Column("bic", "the bank's code, where the bank asks for it"),
        ),
        ANSWERS: (
            Column("reference", "the refund's reference number, as exported", None),
            Column("status", "paid, rejected or pending", None),
            Column("amount", "such as 12.50; must be the refund's"),
            Column("reason", "why it was rejected"),
        ),
        SENT_REFUNDS: (
            Column("reference", "the refund's reference number", None),
            Column("account_id", "whose refund it is", None),
            Column("name", "who is paid"),
            Column("iban", "where to"),
            Column("bic", "the bank's code"),
            Column("amount", "such as 12.50", None),
            Column("currency", "ISO 4217, upper case", None),
            Column("description", "which month's it is, such as Refund 2026-11", None),
        ),
        AWARDS: (
            Column("award_id", "the reward's own reference: the same award is one reduction", None),
            Column("merchant_id", "a merchant of the merchants file", None),
            Column("account_id", "whose reward it is", None),
            Column("amount", "such as 2.50", None),
            Column("currency", "the merchant's and the account's", None),
            Column("payment_id", "the payment of the sale, if it is known"),
        ),
        PAYMENT_REQUESTS: (
            Column("request_id", "your id of it: the same id is the same request", None),
            Column("account_id", "who is asked", None),
            Column("title", "what is to be paid, as the payer reads it", None),
            Column("amount", "such as 12.50; of the invoices, or on account; suggested where the payer chooses"),
            Column("currency", "the account's", None),
            Column("invoices", "ids or numbers, with blanks between"),
            Column("least", "the payer chooses the amount: so much at least"),
            Column("most", "so much at most"),
            Column("description", "more about it, for the payer"),
            Column("valid_days", "its link is good so long", "14"),
            Column("valid_for", "instead of valid_days: 90s, 45m, 12h or 3d"),
            Column("mail", "yes: the account's address, or each payer's, gets a link and reminders; or no", "yes"),
            Column("sender_email", "who is told when it is paid"),
            Column("payers", "addresses that get a link instead, with blanks between; who pays first pays for all"),
            Column("owner_name", "makes the account, where there is none, for this person"),
            Column("owner_email", "the address of the account that is made"),
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


def _missing(known: dict[str, Column], names: Header) -> list[str]:
    return [name for name, column in known.items() if column.default is None and name not in names]


def _card_field(header: Header, row: Sequence[str]) -> str:
    position = next(position for position, cell in enumerate(row) if holds_card_number(cell))
    return header[position] if position < len(header) else f"cell {position + 1}"


def _shown(name: str) -> str:
    return "column" if holds_card_number(name) else name or "column"


def _problem(source: str, line: int, field: str, rule: str, message: str) -> Problem:
    return Problem(field, rule, message, source, line)
