"""What is carried out of a page, and what of an answer may be another each time."""

import pytest

from tests.walkthrough.page import PageError, Step, WrittenFile, parts_of, rewritten
from tests.walkthrough.varying import Bindings

PAGE = """# A page

```csv accounts.csv
id,name
a,Anna
```

Text with `code`.

```console
$ duly accounts import \\
    accounts.csv
1 account read
…
$ duly accounts list
```

```console terminal
$ python worker.py
ready
```
"""


def differences(page: str, run: str, bindings: Bindings | None = None) -> list[str]:
    return (bindings or Bindings()).differences(page.splitlines(), run.splitlines())


def test_a_page_is_its_files_and_commands_in_order() -> None:
    assert parts_of(PAGE) == [
        WrittenFile(3, "accounts.csv", "id,name\na,Anna\n"),
        Step(11, "duly accounts import \\\n    accounts.csv", ("1 account read", "…")),
        Step(15, "duly accounts list", ()),
        Step(19, "python worker.py", ("ready",), goes_on=True),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Text\n\n    duly doctor\n", 3),
        ("```\nduly doctor\n```\n", 1),
        ("```console\nhealthy\n```\n", 2),
        ("```console\n```\n", 1),
        ("Text\n```console\n$ duly doctor\n", 2),
    ],
)
def test_code_that_nobody_would_carry_out_is_refused(text: str, line: int) -> None:
    with pytest.raises(PageError, match=f"^line {line}: "):
        parts_of(text)


def test_a_page_is_written_anew_with_what_its_commands_write_now() -> None:
    steps = [part for part in parts_of(PAGE) if isinstance(part, Step)]
    now = [Step(0, "", ("2 accounts read",)), Step(0, "", ("a Anna", "")), steps[2]]

    assert rewritten(PAGE, steps) == PAGE
    assert rewritten(PAGE, now) == PAGE.replace("1 account read\n…\n", "2 accounts read\n").replace(
        "accounts list\n", "accounts list\na Anna\n"
    )


@pytest.mark.parametrize(
    ("page", "run"),
    [
        ("Charged 35.58 EUR", "Charged 35.59 EUR"),
        ("Charged 35.58 EUR", "Charged 35.58 EUR twice"),
        ("one\ntwo", "one"),
        ("one", "one\ntwo"),
        ("…\ntwo", "one\nthree"),
        ("Posted 2026-11-28", "Posted never"),
        ("PAY-0000000001", "INV2026-0000000001 and more"),
        ("run/monthly/2026-10", "run/monthly/2026-11"),
    ],
)
def test_what_differs_is_found(page: str, run: str) -> None:
    assert differences(page, run) != []


@pytest.mark.parametrize(
    ("page", "run"),
    [
        ("Posted 2026-11-28 21:03Z in 3.1 s", "Posted 2027-01-02 05:59Z in 12 s"),
        (" Id    Name \n ─────────── \n\n", " Id   Name\n────\n"),
        ("one\n…\nfour", "one\ntwo\nthree\nfour"),
        ("one\n…", "one\ntwo"),
        ("…\ntwo", "two"),
    ],
)
def test_what_is_another_each_time_is_no_difference(page: str, run: str) -> None:
    assert differences(page, run) == []


def test_an_id_stands_for_the_same_thing_from_then_on_and_in_commands() -> None:
    bindings = Bindings()

    assert (
        differences("PAY-0000000001 of ft_7\nPAY-0000000002", "PAY-0000000002 of ft_9\nPAY-0000000001", bindings) == []
    )

    assert bindings.replaced("duly transactions show PAY-0000000001") == "duly transactions show PAY-0000000002"
    assert bindings.of_the_page(("PAY-0000000002, ft_9",)) == ("PAY-0000000001, ft_7",)
    assert differences("PAY-0000000001", "PAY-0000000002", bindings) == []
    assert differences("PAY-0000000001", "PAY-0000000003", bindings) != []
