"""The rules by which a line is known again, as they are stated: each line compared with every other of its day.

What is in models/bank/recognition.py answers the same and compares a few.
"""

from collections.abc import Iterable, Iterator

from models.bank.identity import CSV, KnownLine, LineIdentity, is_one_account
from models.bank.recognition import Doubt, Recognition


def recognised_one_by_one(identity: LineIdentity, known: Iterable[KnownLine]) -> Recognition | None:
    """Find a line among those of its day. None: it is new."""
    one = KnownLine.read(identity.key)
    assert one is not None, "a key is read as it was written"
    same_day = [
        other for other in known
        if is_one_account(one.account, other.account) and (one.amount_minor > 0) == (other.amount_minor > 0)
        and one.currency == other.currency
    ]  # fmt: skip
    alike = [other for other in same_day if other.amount_minor == one.amount_minor]
    return (
        next((found for other in alike if (found := _same_kind(one, other)) and not found.doubt), None)
        or _other_kind(one, alike)
        or next(_doubts(one, alike, same_day), None)
    )


def _same_kind(one: KnownLine, other: KnownLine) -> Recognition | None:
    """Compare a line with one of another file of its kind, or of its own."""
    if one.kind != other.kind or one.reference != other.reference or not _covers(one, other):
        return None
    if one.kind == CSV:
        return Recognition(other)
    is_one_statement, is_alike = one.statement == other.statement, one.content == other.content
    if is_alike and one.occurrence == other.occurrence and (one.reference or is_one_statement):
        # In one statement the position tells what the content does not.
        is_elsewhere = is_one_statement and one.position != other.position
        return None if is_elsewhere else Recognition(other)
    # In one file a reference may be shared; who reads a file again meets what it has brought.
    if (is_one_statement and (other.is_of_this_file or not one.reference)) or not (is_alike or one.reference):
        return None
    if is_alike and one.reference:
        return None
    return Recognition(other, Doubt.ANOTHER_STATEMENT if is_alike else Doubt.ANOTHER_CONTENT)


def _other_kind(one: KnownLine, alike: Iterable[KnownLine]) -> Recognition | None:
    """Compare a line with those of other kinds of files: as many as came there are not new here."""
    others = [
        other for other in alike
        if other.kind != one.kind and other.reference == one.reference and _covers(one, other)
        and (one.reference or other.content == one.content)
    ]  # fmt: skip
    return Recognition(others[0]) if len(others) >= one.occurrence else None


def _doubts(one: KnownLine, alike: Iterable[KnownLine], same_day: Iterable[KnownLine]) -> Iterator[Recognition]:
    for other in alike:
        if (found := _same_kind(one, other)) is not None:
            yield found
        elif other.kind != one.kind and not (one.reference and other.reference) and other.content != one.content:
            yield Recognition(other, Doubt.PERHAPS_KNOWN)
        elif _has_other_details(one, other):
            yield Recognition(other, Doubt.ANOTHER_STATEMENT)
    for other in same_day:
        is_amended = (one.kind, one.statement) == (other.kind, other.statement) and not other.is_of_this_file
        is_one_reference = one.reference != "" and one.reference == other.reference
        if is_one_reference and one.amount_minor != other.amount_minor and (one.kind == CSV or is_amended):
            yield Recognition(other, Doubt.ANOTHER_AMOUNT)


def _has_other_details(one: KnownLine, other: KnownLine) -> bool:
    """Say whether a batch may have come once with its details and once without, in files of one kind."""
    is_unnamed = one.kind == other.kind and not one.reference and not other.reference
    return is_unnamed and not other.is_of_this_file and (one.place > 0) != (other.place > 0)


def _covers(one: KnownLine, other: KnownLine) -> bool:
    """Say whether two are one detail of an entry, or one of them is the whole entry."""
    return one.place == other.place or 0 in {one.place, other.place}
