"""Random histories on the ledger and on a plain Python oracle, which must agree after every action."""

import itertools
import random
import threading
from collections.abc import Iterator, Sequence
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ledger.books import Books
from tests.ledger.histories.ledger_history import LedgerHistory

T = TypeVar("T")
ACTIONS = 40


class Seeded:
    """Turns from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def number(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def pick(self, options: Sequence[T]) -> T:
        return self.random.choice(options)


class Drawn:
    """Turns from Hypothesis, which makes a failing history as short as it can."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data

    def number(self, low: int, high: int) -> int:
        return self.data.draw(st.integers(low, high))

    def pick(self, options: Sequence[T]) -> T:
        return self.data.draw(st.sampled_from(options))


@pytest.fixture
def other_writer(books: Books, database_url: str) -> Iterator[None]:
    """Somebody who posts to other accounts and takes numbers all the while."""
    done = threading.Event()
    writer = Books(database_url)
    writer.open_account("acc_other")

    def write() -> None:
        count = 0
        while not done.wait(0.002):
            count += 1
            writer.pay(f"other/{count}", "acc_other", 1)

    thread = threading.Thread(target=write)
    thread.start()
    yield
    done.set()
    thread.join()
    writer.close()


@pytest.mark.gate_cases(1)
@pytest.mark.usefixtures("other_writer")
@pytest.mark.parametrize("first_seed", [1, 1001])
def test_the_ledger_and_the_oracle_agree_on_long_histories(books: Books, owner: Books, first_seed: int) -> None:
    for number in range(3):
        history = LedgerHistory(books, owner, Seeded(first_seed + number), number)
        for _ in range(80):
            history.step()
        history.finish()


@pytest.mark.usefixtures("other_writer")
def test_the_ledger_and_the_oracle_agree_on_whatever_hypothesis_makes_up(books: Books, owner: Books) -> None:
    numbers = itertools.count()

    # A history is some forty calls, so a tenth of the profile's examples is run.
    @settings(
        max_examples=settings().max_examples // 10, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), print_blob=True,
    )  # fmt: skip
    @given(st.data())
    def run_history(data: st.DataObject) -> None:
        history = LedgerHistory(books, owner, Drawn(data), next(numbers))
        for _ in range(data.draw(st.integers(1, ACTIONS))):
            history.step()
        history.finish()

    run_history()
