"""What a page shows of a bank's file: what each line would do, or, of one that is too large for that, what it has."""

from collections.abc import Mapping, Sequence
from typing import Any

from commands.bank.preview import AnswersCount, AnswersPreview, StatementCount, StatementPreview
from commands.bank.statement_import import where_or_why
from models.listing import heading_of
from models.problem import Problem
from web.views.cells import Column, Table, day, link, money, state, table_of, text, words

_SHOWN = 500


def of_statement(found: StatementPreview) -> dict[str, Any]:
    """Return what each line of a statement would do."""
    done = found.done
    columns = (
        Column("Line", lambda one: text(one.entry.line), is_number=True),
        Column("Bank reference", lambda one: text(one.entry.kept_reference)),
        Column("Booked", lambda one: day(one.entry.booked_on)),
        Column("Amount", lambda one: money(one.entry.amount_minor, one.entry.currency), is_money=True),
        Column("Would be", lambda one: state(str(one.outcome))),
        Column("Account", lambda one: text("") if one.outcome == "suspense" else link("accounts", one.account_id)),
        Column("Whose, or why not", lambda one: text(where_or_why(one) if one.reason or one.written_off else "")),
    )
    names = ("credits", "posted", "suspense", "unchanged", "payout", "direct_debit", "refused")
    sums = (
        Column("Currency", lambda one: text(one["currency"])),
        *(_sum(name) for name in names),
    )
    moves = any(done.counts[one] for one in ("posted", "suspense", "payout", "direct_debit"))
    return {
        "counts": [(name.replace("_", " "), number) for name, number in done.summary.items() if number],
        "tables": [
            table_of("What the credits come to", sums, done.totals.as_documents(), empty="No credits."),
            *_refused(done.problems),
            table_of("Lines", columns, found.results[:_SHOWN], empty="No line that could be read."),
        ],
        "left_out": max(len(found.results) - _SHOWN, 0),
        "does_something": moves,
        "is_tried": True,
    }


def _sum(name: str) -> Column:
    head = {"credits": "Credits", "unchanged": "Known already"}.get(name, heading_of(name))
    return Column(head, lambda one: money(one[f"{name}_minor"], one["currency"]), is_money=True)


def of_answers(found: AnswersPreview) -> dict[str, Any]:
    """Return what each answer would do."""
    columns = (
        Column("Line", lambda one: text(one.answer.line), is_number=True),
        Column("Refund", lambda one: link("transactions", one.transaction_id, one.answer.reference)),
        Column("Account", lambda one: link("accounts", one.account_id)),
        Column("The bank says", lambda one: words(str(one.answer.status))),
        Column("Would be", lambda one: state(str(one.became))),
    )
    counts: dict[str, int] = {}
    for one in found.confirmed:
        counts[str(one.became)] = counts.get(str(one.became), 0) + 1
    known = [*counts.items(), *([("refused", len(found.problems))] if found.problems else [])]
    return {
        "counts": known,
        "tables": [
            *_refused(found.problems),
            table_of("Answers", columns, found.confirmed[:_SHOWN], empty="No answer about a refund of ours."),
        ],
        "left_out": max(len(found.confirmed) - _SHOWN, 0),
        "does_something": any(one in counts for one in ("posted", "rejected")),
        "is_tried": True,
    }


def _refused(problems: Sequence[Problem]) -> list[Table]:
    columns = (
        Column("Line", lambda one: text(one.line or ""), is_number=True),
        Column("Id", lambda one: text(one.id)),
        Column("Field", lambda one: text(one.field)),
        Column("What is wrong", lambda one: text(one.message)),
    )
    return [table_of("Refused lines: they are left out", columns, problems[:_SHOWN])] if problems else []


def of_statement_count(found: StatementCount) -> dict[str, Any]:
    """Return what a statement has, of which nobody has tried out what it would do."""
    columns = (
        Column("Currency", text),
        Column("Credits", lambda one: money(found.credits[one], one), is_money=True),
        Column("Debits", lambda one: money(found.debits[one], one), is_money=True),
    )
    rows = sorted({*found.credits, *found.debits})
    counts: Mapping[str, int] = {"lines": found.lines, "refused": len(found.problems)}
    return _counted(counts, [table_of("What it comes to", columns, rows, empty="No lines.")], found.problems)


def of_answers_count(found: AnswersCount) -> dict[str, Any]:
    """Return what a file of answers has, of which nobody has tried out what it would do."""
    return _counted({**found.answers, "refused": len(found.problems)}, [], found.problems)


def _counted(counts: Mapping[str, int], tables: Sequence[Table], problems: Sequence[Problem]) -> dict[str, Any]:
    return {
        "counts": [(name, number) for name, number in counts.items() if number],
        "tables": [*tables, *_refused(problems)],
        "left_out": max(len(problems) - _SHOWN, 0),
        "does_something": True,
        "is_tried": False,
    }
