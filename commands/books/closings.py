"""Closing and reopening periods, and showing what was done."""

from datetime import date

from activities.books.closings import Closings
from commands.changing.changes import person_of
from commands.formatting import document, moment
from commands.output import Output, table
from commands.session import database_of, read_settings, reading_database_of


async def close(output: Output, day: date, *, actor: str, reason: str) -> None:
    """Close every day up to one. The same day again changes nothing."""
    async with database_of(read_settings()) as database:
        was = await Closings(database).close(day, actor=person_of(actor), reason=reason)
    _answer(output, day, was)


async def reopen(output: Output, day: date, *, actor: str, reason: str) -> None:
    """Open a closed day and every day after it."""
    async with database_of(read_settings()) as database:
        was = await Closings(database).reopen(day, actor=person_of(actor), reason=reason)
        books = await Closings(database).read(1)
    _answer(output, books.closed_until, was)


async def set_right(output: Output, holder: str, *, is_granted: bool, actor: str, reason: str) -> None:
    """Give the right to post outside the open days, or take it away."""
    async with database_of(read_settings()) as database:
        is_changed = await Closings(database).set_right(
            holder, is_granted=is_granted, actor=person_of(actor), reason=reason
        )
    has_it = "may" if is_granted else "may not"
    output.answer(
        {"holder": holder, "is_granted": is_granted, "is_changed": is_changed},
        f"{holder} {has_it} post outside the open days{'' if is_changed else ', as before'}.",
    )


async def show(output: Output, limit: int) -> None:
    """Show what is closed, who may post there, and what was done."""
    async with reading_database_of(read_settings()) as database:
        books = await Closings(database).read(limit)
    facts = [("Closed until", books.closed_until or "no day"), ("May post there", ", ".join(books.holders) or "nobody")]
    closings = [
        (moment(one.made_at), "reopened" if one.is_reopening else "closed", one.closed_until, one.actor, one.reason)
        for one in books.closings
    ]
    rights = [
        (moment(one.made_at), "granted" if one.is_granted else "revoked", one.holder, one.actor, one.reason)
        for one in books.rights
    ]
    postings = [(moment(one.made_at), one.actor, one.reason) for one in books.postings]
    output.answer(
        {
            "closed_until": books.closed_until,
            "holders": list(books.holders),
            "closings": [document(one) for one in books.closings],
            "rights": [document(one) for one in books.rights],
            "postings": [document(one) for one in books.postings],
        },
        table("", "Books", "", rows=facts),
        *([table("Closings", "At", "What", "Closed until", "Who", "Why", rows=closings)] if closings else []),
        *([table("Rights", "At", "What", "Whose", "Who", "Why", rows=rights)] if rights else []),
        *([table("Posted outside the open days", "At", "Who", "Why", rows=postings)] if postings else []),
    )


def _answer(output: Output, closed_until: date | None, was: date | None) -> None:
    rows = [("Closed until", closed_until or "no day"), ("Was", was or "no day")]
    output.answer({"closed_until": closed_until, "was": was}, table("", "Books", "", rows=rows))
