"""Every list of the command line: newest first, by days and states, with totals, a way on, and CSV in major units."""

import csv
import io
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

import pytest

from models.operations.record_states import LISTED
from tests.operations.test_cli_usage import commands
from tests.support.command_line import CommandLine
from tests.support.run_control import until

Words = tuple[str, ...]

HOLDS = ("fraud", "holds")
LISTS = {words: command for words, command in commands() if words[-1] == "list" or words == HOLDS}
# What the rows of a list are called, where its noun is another word.
ROWS: Mapping[Words, str] = {("fraud", "list"): "blocks", HOLDS: "holds"}

# What a list need not have, with the reason. A list that is not named here has all of it.
EXEMPT: Mapping[Words, Mapping[str, str]] = {
    ("definitions", "list"): dict.fromkeys(
        ("--from", "--to", "--limit", "--after", "--state"), "the whole configuration, of several kinds"
    ),
    ("merchants", "list"): dict.fromkeys(("--from", "--to", "--limit", "--after", "--state"), "configuration"),
    ("reports", "list"): dict.fromkeys(("--from", "--to", "--limit", "--after", "--state"), "what a release has"),
    ("reports", "schedule", "list"): dict.fromkeys(
        ("--from", "--to", "--limit", "--after", "--state"), "a few calendars"
    ),
    ("communicate", "list"): {"--state": "`messages list --communication` has the states of its letters"},
    ("segments", "list"): dict.fromkeys(
        ("--from", "--to", "--limit", "--after", "--state"), "configuration; `segments members` has all"
    ),
    ("schedule", "list"): dict.fromkeys(("--from", "--to", "--limit", "--after", "--state"), "a few, of Temporal's"),
    ("users", "list"): dict.fromkeys(("--from", "--to", "--limit", "--after", "--state"), "a few people"),
    ("users", "passkeys", "list"): dict.fromkeys(
        ("--from", "--to", "--limit", "--after", "--state"), "a few of a few people"
    ),
    ("webhooks", "list"): dict.fromkeys(("--from", "--to", "--limit", "--after", "--state"), "what a release needs"),
    ("movements", "list"): {"--state": "--open, --overdue and --differing"},
    ("suspense", "list"): {"--state": "all of it waits"},
}
WANTED = ("--csv", "--json", "--from", "--to", "--limit", "--after", "--state")


# Nouns whose `show` shows something else than a row of their list.
SHOWS_ANOTHER: Mapping[str, str] = {
    "definitions": "a document as it was applied, where the list has what is configured",
    "reports": "what a report is made of, where the list has which there are",
    "reconcile": "a day's certificate, where the list has discrepancies",
    "segments": "how many it has now, where the list has what is configured",
}
ALONE = {words[0]: command for words, command in commands() if words[-1] == "show" and (words[0], "list") in LISTS}


def named_by(noun: str, row: Mapping[str, Any]) -> Words:
    """What `show` calls a row of a list."""
    return (row["account_id"], row["period"]) if noun == "collections" else (row.get("award_id") or row["id"],)


def coming_of(document: Mapping[str, Any]) -> tuple[object, object]:
    """What comes next of something, and whether a person is needed."""
    return document["next_action_at"], document["needs_review"]


async def comes_to_agree(cli: CommandLine, noun: str, named: Words) -> bool:
    """Whether list and show say the same of what comes next, both read now."""
    (row,) = (one for one in (await cli.json(noun, "list"))[noun.replace("-", "_")] if named_by(noun, one) == named)
    return coming_of(row) == coming_of(await cli.json(noun, "show", *named))


@pytest.mark.nightly
async def test_a_row_reads_in_its_list_as_it_does_alone(cli: CommandLine, busy: list[str]) -> None:
    differing, compared = {}, set()
    for noun in ALONE.keys() - SHOWS_ANOTHER.keys():
        for row in (await cli.json(noun, "list"))[noun.replace("-", "_")]:
            named = named_by(noun, row)
            alone = await cli.json(noun, "show", *named)
            if "needs_review" in row and noun != "runs" and coming_of(row) != coming_of(alone):
                # Both ask visibility, which is a moment behind whatever has just moved on.
                await until(partial(comes_to_agree, cli, noun, named))
            read = (await cli(noun, "show", *named)).stdout.split()
            states = {where: one.get("state", one.get("stage")) for where, one in (("list", row), ("show", alone))}
            if noun == "reductions":
                states["show"] = alone["state"]
            if states["list"] != states["show"] or states["list"] not in [word.strip(",") for word in read]:
                differing[noun, *named] = states
            compared.add(noun)

    assert differing == {}
    assert compared == ALONE.keys() - SHOWS_ANOTHER.keys()


@pytest.mark.parametrize("words", [pytest.param(words, id=" ".join(words)) for words in LISTS])
def test_every_list_can_be_narrowed_paged_and_written_as_csv(words: Words) -> None:
    options = {option for parameter in LISTS[words].params for option in parameter.opts}

    missing = [option for option in WANTED if option not in options]

    assert sorted(missing) == sorted(EXEMPT.get(words, {}))


@pytest.mark.nightly
async def test_every_list_has_a_way_on_in_json_and_says_what_all_of_it_comes_to(
    cli: CommandLine, busy: list[str]
) -> None:
    printed = {words: await cli.json(*words) for words in LISTS}

    assert [words for words, document in printed.items() if "next" not in document] == []
    without_totals = {words for words, document in printed.items() if "totals" not in document}
    configured = {
        ("communicate", "list"),
        ("definitions", "list"),
        ("merchants", "list"),
        ("reports", "list"),
        ("reports", "schedule", "list"),
        ("schedule", "list"),
        ("segments", "list"),
        ("users", "list"),
        ("users", "passkeys", "list"),
        ("webhooks", "list"),
    }
    # A journal has no end: its sums are balances and statements. Of all payments --totals says what they come to.
    endless = {("transactions", "list"), ("payments", "list"), ("requests", "list")}
    assert without_totals == configured | endless
    strange = {
        (noun, word)
        for (listed, *_), document in printed.items()
        for noun, rows in ((listed if listed in LISTED else name, rows) for name, rows in document.items())
        if noun in LISTED and isinstance(rows, list)
        for word in (
            row.get("state", row.get("stage", row.get("outcome"))) for row in [*rows, *document.get("totals", [])]
        )
        if word is not None and word not in LISTED[noun].words
    }
    assert strange == set()
    assert printed["collections", "list"]["totals"] == [
        {"state": "open", "currency": "EUR", "rows": 3, "amount_minor": 6000}
    ]


@pytest.mark.nightly
async def test_a_list_is_newest_first_page_by_page_and_tells_what_comes_next_and_when(
    cli: CommandLine, busy: list[str]
) -> None:
    first = await cli.json("collections", "list", "--limit", "2")
    second = await cli.json("collections", "list", "--limit", "2", "--after", first["next"])
    unknown = await cli("collections", "list", "--after", "acc_9/2026-01", "--json")

    assert [one["account_id"] for one in first["collections"] + second["collections"]] == list(reversed(busy))
    assert second["next"] is None
    assert first["totals"] == second["totals"]
    assert all(one["next_action_at"] for one in first["collections"])
    assert (unknown.exit_code, unknown.rules) == (1, [("after", "row_exists")])


@pytest.mark.nightly
async def test_a_list_is_narrowed_to_days_and_refuses_them_in_the_wrong_order(
    cli: CommandLine, busy: list[str]
) -> None:
    today = f"{date.today()}"  # noqa: DTZ011  # the database's clock is this machine's

    of_today = await cli.json("collections", "list", "--from", "2026-01-01", "--to", "2199-01-01")
    before = await cli.json("collections", "list", "--to", "2026-01-01")
    backwards = await cli("collections", "list", "--from", "2199-01-01", "--to", today)

    assert (len(of_today["collections"]), before["collections"], before["totals"]) == (3, [], [])
    assert backwards.exit_code == 2


@pytest.mark.nightly
async def test_csv_has_amounts_in_major_units_beside_their_currency(cli: CommandLine, busy: list[str]) -> None:
    for words in LISTS:
        written = await cli(*words, *(("--kind", "products") if words == ("definitions", "list") else ()), "--csv")
        assert written.exit_code == 0, (words, written.stderr)
        rows = list(csv.DictReader(io.StringIO(written.stdout)))
        assert not [name for row in rows for name in row if name and name.endswith("_minor")]

    collections = list(csv.DictReader(io.StringIO((await cli("collections", "list", "--csv")).stdout)))
    both = await cli("collections", "list", "--csv", "--json")

    assert [(row["amount"], row["currency"]) for row in collections] == [
        ("30.00", "EUR"),
        ("20.00", "EUR"),
        ("10.00", "EUR"),
    ]
    assert both.exit_code == 2


@pytest.mark.parametrize("narrow", [(80,), pytest.param((80, 100, 120), marks=pytest.mark.nightly)], ids=str)
async def test_however_narrow_a_terminal_is_every_id_and_every_link_is_in_one_piece(
    cli: CommandLine, busy: list[str], period: str, narrow: tuple[int, ...]
) -> None:
    at = {columns: CommandLine({**cli.environment, "COLUMNS": str(columns)}) for columns in (*narrow, 400)}
    folded: dict[tuple[str | int, ...], set[str]] = {}
    listed: set[str] = set()
    for words in LISTS:
        texts = {columns: (await typed(*words)).stdout for columns, typed in at.items()}
        shown = {columns: set(text.split()) for columns, text in texts.items()}
        # Lines that stand for a table leave out the heads of what is empty.
        named = {word for word in texts[400].partition("─")[2].split() if "─" not in word}
        listed |= {ROWS.get(words, words[0].replace("-", "_"))} if "none" not in named else set()
        folded |= {(*words, columns): lost for columns, found in shown.items() if (lost := named - found)}
    assert folded == {}
    assert listed >= {*LISTED, "movements", "reconcile"} - {"discrepancies"}

    started = await at[80]("collections", "show", busy[0], period)

    assert f"Temporal UI: http://ui.example/namespaces/default/workflows/collection%2F{busy[0]}%2F{period}" in (
        started.stdout.splitlines()
    )
