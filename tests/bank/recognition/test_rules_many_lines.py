"""Of a day with many lines, each is compared with a few, and found as if it were compared with each."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from types import CodeType, FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bank.identity import KnownLine, LineIdentity
from models.bank.recognition import KnownDay, Recognition, recognise
from tests.bank.recognition.one_by_one import recognised_one_by_one

DAY = date(2026, 5, 20)
IBAN = "DE89370400440532013000"
ONE = LineIdentity(DAY, "B1", 1000, "EUR", IBAN, content="aa", kind="camt053", statement="S1")

# Few values of each, so that lines often have some in common.
LINES = st.builds(
    LineIdentity,
    st.just(DAY),
    reference=st.sampled_from(("", "B1", "B2")),
    amount_minor=st.sampled_from((1000, -1000, 2000)),
    currency=st.sampled_from(("EUR", "EUR", "USD")),
    account=st.sampled_from(("", IBAN, "0532013000", "NL91ABNA0417164300")),
    content=st.sampled_from(("aa", "bb")),
    occurrence=st.sampled_from((1, 1, 2, 3)),
    position=st.sampled_from(("", "1", "2")),
    place=st.sampled_from((0, 0, 1, 2)),
    kind=st.sampled_from(("csv", "camt053", "camt052")),
    statement=st.sampled_from(("S1", "S2")),
)


def line_of(one: LineIdentity, *, is_of_this_file: bool = True) -> KnownLine:
    line = KnownLine.read(one.key)
    assert line is not None
    return replace(line, is_of_this_file=is_of_this_file)


@settings(max_examples=60)
@given(st.lists(st.tuples(LINES, st.booleans()), max_size=8), LINES)
def test_a_line_is_found_as_if_it_were_compared_with_each_of_its_day(
    before: list[tuple[LineIdentity, bool]], one: LineIdentity
) -> None:
    lines = [line_of(known, is_of_this_file=is_of_this_file) for known, is_of_this_file in before]
    day = KnownDay()
    for line in lines:
        day.add(line)

    found, expected = recognise(one, day), recognised_one_by_one(one, lines)

    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert (found.known, found.doubt) == (expected.known, expected.doubt)
        assert lines[found.number] == expected.known


class Steps:
    """How many lines of models/bank/recognition.py have run: each turn of a loop is one more."""

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            yield
        finally:
            sys.settrace(before)

    def _called(self, frame: FrameType, event: str, _: Any) -> "Callable[..., Any] | None":
        return self._ran if _is_of_recognition(frame.f_code) else None

    def _ran(self, frame: FrameType, event: str, _: Any) -> "Callable[..., Any]":
        self.count += event == "line"
        return self._ran


def _is_of_recognition(code: CodeType) -> bool:
    return code.co_filename == recognise.__code__.co_filename


def work(lines: list[LineIdentity], known: KnownDay) -> tuple[int, list[Recognition | None]]:
    """Look each line up, and add it if it is new."""
    steps, found = Steps(), []
    with steps.counted():
        for one in lines:
            found.append(recognise(one, known))
            if found[-1] is None:
                known.add(line_of(one))
    return steps.count, found


MANY: dict[str, Callable[[int], LineIdentity]] = {
    "details of one entry": lambda n: ONE.of_detail(n + 1),
    "entries with references": lambda n: replace(ONE, reference=f"B{n}"),
    "entries that share a reference": lambda n: replace(ONE, content=f"{n:04x}"),
    "entries that share a reference, of other amounts": lambda n: replace(ONE, amount_minor=n + 1),
    "entries without references": lambda n: replace(ONE, reference="", content=f"{n:04x}"),
    "entries that are alike": lambda n: replace(ONE, reference="", occurrence=n + 1),
    "entries of many statements": lambda n: replace(ONE, reference=f"B{n}", statement=f"N{n}"),
    "rows of csv": lambda n: replace(ONE, reference=f"B{n}", content="", kind="csv", statement=""),
}


@pytest.mark.parametrize("kind", MANY)
def test_four_times_as_many_lines_are_four_times_the_work(kind: str) -> None:
    def imported(count: int) -> list[int]:
        lines, known, again, other = [MANY[kind](n) for n in range(count)], KnownDay(), KnownDay(), KnownDay()
        new, found = work(lines, known)
        assert found == [None] * count
        for one in lines:
            again.add(line_of(one, is_of_this_file=False))
            other.add(line_of(replace(one, kind="camt054", statement="N"), is_of_this_file=False))
        # The same file again, and the same lines by another kind of file.
        repeated, found = work(lines, again)
        assert [one and (one.number, one.doubt) for one in found] == [(n, None) for n in range(count)]
        otherwise, found = work(lines, other)
        assert None not in found
        return [new, repeated, otherwise]

    # The first of all meets nobody. Each with each were sixteen times as much.
    for few, many in zip(imported(20), imported(80), strict=True):
        assert many < 5 * few
