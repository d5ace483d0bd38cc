"""Whether a line of a statement has come before: for certain, perhaps, or not (decision 0122).

However many lines a day has, a line is compared with a few of them: they are kept by what the rules compare.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from models.bank.identity import CSV, KnownLine, LineIdentity, is_one_account

# In the place of a detail: any detail of an entry.
_ANY_DETAIL = -1


class Doubt(StrEnum):
    """Why nobody can say whether a line has come before: it is refused, and a person decides."""

    ANOTHER_AMOUNT = "another_amount"
    ANOTHER_CONTENT = "another_content"
    ANOTHER_STATEMENT = "another_statement"
    PERHAPS_KNOWN = "perhaps_known"


@dataclass(frozen=True)
class Recognition:
    """The known line that a line is, or may be; `number` is its number of its day, from 0."""

    known: KnownLine
    doubt: Doubt | None = None
    number: int = 0


class _Numbered(NamedTuple):
    """A line, with its number of its day: of several the first is meant."""

    number: int
    line: KnownLine


@dataclass(slots=True)
class _Group:
    """Lines that differ in one value alone: how many, the first, and the first that has another value than that."""

    first: _Numbered
    value: Hashable
    another: _Numbered | None = None
    count: int = 1

    def other_than(self, value: Hashable) -> _Numbered | None:
        """Return the first that has another value than this."""
        return self.first if self.value != value else self.another


# The groups of a key, by what else tells them apart: what stands first is the bank account.
_Groups = dict[tuple[Any, ...], _Group]


class KnownDay:
    """The lines of a day that are known, in the order in which they were added."""

    def __init__(self) -> None:
        self._count = 0
        # By all that one kind of file says of a line; by amount and reference, or else content; by amount; by
        # reference; by amount those without one, entries apart from details of entries.
        self._equal: defaultdict[Hashable, _Groups] = defaultdict(dict)
        self._alike: defaultdict[Hashable, _Groups] = defaultdict(dict)
        self._amounts: defaultdict[Hashable, _Groups] = defaultdict(dict)
        self._references: defaultdict[Hashable, _Groups] = defaultdict(dict)
        self._unnamed: defaultdict[Hashable, _Groups] = defaultdict(dict)

    def add(self, line: KnownLine) -> None:
        """Add a line; its number is how many were added before it."""
        known = _Numbered(self._count, line)
        self._count += 1
        for place in (line.place, _ANY_DETAIL) if line.place else (0,):
            _put(self._equal[_equal(line, place)], known, line.statement, line.position)
            of = (line.kind, line.statement, line.is_of_this_file)
            _put(self._alike[_alike(line, place)], known, *of, value=line.content)
        _put(
            self._amounts[line.amount_minor, line.currency], known, line.kind, line.reference != "", value=line.content
        )
        if not line.reference and not line.is_of_this_file:
            _put(self._unnamed[_unnamed(line, is_detail=line.place > 0)], known)
        if line.reference:
            _put(self._references[_reference(line)], known, value=line.amount_minor)
            if not line.is_of_this_file:
                _put(self._references[_statement(line)], known, value=line.amount_minor)

    def same(self, one: KnownLine) -> _Numbered | None:
        """Return the line that this is for certain, of a file of its kind or of its own."""
        return _first(
            group.first
            for place in _covered(one)
            for (_, statement, position), group in _of_account(self._equal, _equal(one, place), one)
            # In one statement the position tells what the content does not.
            if one.kind == CSV
            or (position == one.position if statement == one.statement else one.reference != "")
        )  # fmt: skip

    def of_other_kinds(self, one: KnownLine) -> _Numbered | None:
        """Return a line of another kind of file: as many as came there are not new here."""
        groups = [
            group
            for place in _covered(one)
            for (_, kind, *_), group in _of_account(self._alike, _alike(one, place), one)
            if kind != one.kind
        ]
        is_there = sum(group.count for group in groups) >= one.occurrence
        return _first(group.first for group in groups) if is_there else None

    def doubts(self, one: KnownLine) -> Iterator[tuple[_Numbered | None, Doubt]]:
        """Yield the lines of its amount that it may be, with the doubt."""
        doubt = Doubt.ANOTHER_CONTENT if one.reference else Doubt.ANOTHER_STATEMENT
        for place in _covered(one):
            for (_, kind, statement, is_of_this_file), group in _of_account(self._alike, _alike(one, place), one):
                is_one_statement = statement == one.statement
                # In one file a reference may be shared; who reads a file again meets what it has brought.
                if kind == one.kind and not (is_one_statement and (is_of_this_file or not one.reference)):
                    yield (group.other_than(one.content) if one.reference else group.first), doubt
        for (_, kind, is_referenced), group in _of_account(self._amounts, (one.amount_minor, one.currency), one):
            if kind != one.kind and not (one.reference and is_referenced):
                yield group.other_than(one.content), Doubt.PERHAPS_KNOWN
        # Some banks give a file once with the details of its batches and once without: the words differ, the money not.
        key = _unnamed(one, is_detail=not one.place)
        for _, group in _of_account(self._unnamed, key, one) if not one.reference else ():
            yield group.first, Doubt.ANOTHER_STATEMENT

    def of_other_amount(self, one: KnownLine) -> _Numbered | None:
        """Return the line that has its reference and another amount: of CSV any, else one of the same statement."""
        if not one.reference:
            return None
        key = _reference(one) if one.kind == CSV else _statement(one)
        return _first(group.other_than(one.amount_minor) for _, group in _of_account(self._references, key, one))


def recognise(identity: LineIdentity, known: KnownDay) -> Recognition | None:
    """Find a line among those of its day. None: it is new."""
    one = KnownLine.read(identity.key)
    assert one is not None, "a key is read as it was written"  # noqa: S101
    if (found := known.same(one) or known.of_other_kinds(one)) is not None:
        return Recognition(found.line, number=found.number)
    doubts = [(found, doubt) for found, doubt in known.doubts(one) if found is not None]
    if doubts:
        found, doubt = min(doubts)
        return Recognition(found.line, doubt, found.number)
    if (found := known.of_other_amount(one)) is not None:
        return Recognition(found.line, Doubt.ANOTHER_AMOUNT, found.number)
    return None


def _put(groups: _Groups, known: _Numbered, *of: Hashable, value: Hashable = None) -> None:
    group = groups.get(key := (known.line.account, *of))
    if group is None:
        groups[key] = _Group(known, value)
        return
    group.count += 1
    if group.another is None and group.value != value:
        group.another = known


def _of_account(
    index: defaultdict[Hashable, _Groups], key: Hashable, one: KnownLine
) -> Iterator[tuple[tuple[Any, ...], _Group]]:
    for of, group in index.get(key, {}).items():
        if is_one_account(one.account, of[0]):
            yield of, group


def _first(found: Iterable[_Numbered | None]) -> _Numbered | None:
    return min((one for one in found if one is not None), default=None)


def _covered(one: KnownLine) -> tuple[int, int]:
    """Return the places of what may be the same money: one detail of an entry, or the whole entry."""
    return (one.place, 0) if one.place else (0, _ANY_DETAIL)


def _equal(line: KnownLine, place: int) -> Hashable:
    # In CSV a reference is of one row alone.
    contents = () if line.kind == CSV else (line.content, line.occurrence)
    return line.amount_minor, line.currency, line.kind, line.reference, contents, place


def _alike(line: KnownLine, place: int) -> Hashable:
    return line.amount_minor, line.currency, line.reference, "" if line.reference else line.content, place


def _unnamed(line: KnownLine, *, is_detail: bool) -> Hashable:
    return line.amount_minor, line.currency, line.kind, is_detail


def _reference(line: KnownLine) -> Hashable:
    return line.amount_minor > 0, line.currency, line.reference


def _statement(line: KnownLine) -> Hashable:
    return line.amount_minor > 0, line.currency, line.reference, line.kind, line.statement
