"""One page of rows, what comes next for each, what all come to, and how to go on behind it."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from activities.listing import Listed
from commands.formatting import document, money
from commands.lists.next_actions import NEXT, NextAction, next_actions, next_document
from commands.output import Output, table
from models.operations.record_states import LISTED
from models.operations.states import States
from settings import Settings

if TYPE_CHECKING:
    from rich.table import Table


def state_word(row: Row[Any]) -> str:
    """Stand for the word of a row's state among a list's columns."""
    return str(document(row).get("state", ""))


def answer_all(output: Output, noun: str, documents: Sequence[Mapping[str, Any]], shown: "Table") -> None:
    """Answer with a list that has one page: what is configured, and the like."""
    _answer(output, noun, documents, None, shown)


async def answer_list(
    output: Output,
    settings: Settings,
    noun: str,
    listed: Listed,
    columns: Mapping[str, Callable[[Row[Any]], object]],
    *,
    workflow_id: Callable[[Row[Any]], str] | None = None,
    also: Callable[[Row[Any]], Mapping[str, Any]] = lambda _: {},
    below: Sequence[str] = (),
    states: States | None = None,
) -> None:
    """Answer with a page, newest first, and with totals over all pages. `states` are those of the noun, or given.

    `workflow_id` names the workflow of a row: what it does next, and when, is shown while it runs. `also` is what a
    program gets beside a row's columns, and `below` what a person reads under them. A column whose name ends in `>` is
    one of numbers; the one that is `state_word` shows the word of the row's state.
    """
    actions = await _actions(output, settings, listed.rows, workflow_id)
    documents, cells = [], []
    for row in listed.rows:
        action = actions.get(workflow_id(row)) if workflow_id else None
        word = _word(states or LISTED[noun], row, action)
        documents.append({**_document(row), **word, **also(row), **(next_document(action) if workflow_id else {})})
        shown_row = ["".join(word.values()) if cell is state_word else cell(row) for cell in columns.values()]
        cells.append([*shown_row, *([action or ""] if workflow_id else [])])
    heads = [name.removesuffix(">") for name in columns] + ([NEXT] if workflow_id else [])
    right = [name.removesuffix(">") for name in columns if name.endswith(">")]
    shown = table("", *heads, rows=cells, right=right)
    _answer(output, noun, documents, listed.following, shown, below, **_totals(output, states or LISTED[noun], listed))


def _totals(output: Output, states: States, listed: Listed) -> dict[str, list[dict[str, Any]] | None]:
    if not listed.is_totalled:
        return {}
    if listed.totals is None:
        output.note("What all pages come to takes too long to count: narrow the list by days or states.")
        return {"totals": None}
    return {"totals": [{**document(row), "state": states.word(row.state)} for row in listed.totals]}


def totals_of(totals: Sequence[Mapping[str, Any]]) -> "Table":
    """Make the table of what all rows of a list come to, by state."""
    rows = [(one["state"], one["rows"], _amount(one)) for one in totals]
    return table("All pages", "State", "Number", "Amount", rows=rows, right=("Number", "Amount"))


def _amount(total: Mapping[str, Any]) -> str:
    if total.get("amount_minor") is None or not total.get("currency"):
        return ""
    return money(total["amount_minor"], total["currency"])


def _word(states: States, row: Row[Any], action: NextAction | None) -> dict[str, str]:
    """Return the word of a row's state, under the name that it has in JSON; a collection's states are stages."""
    known = document(row)
    name = next((one for one in ("state", "stage") if one in known), None)
    return {name: states.word(known[name], action.stage if action else "")} if name else {}


async def _actions(
    output: Output, settings: Settings, rows: Sequence[Row[Any]], workflow_id: Callable[[Row[Any]], str] | None
) -> Mapping[str, NextAction]:
    if workflow_id is None:
        return {}
    actions = await next_actions(settings, map(workflow_id, rows))
    if actions is None:
        output.note("Temporal does not answer: what comes next is not shown.")
    return actions or {}


def _document(row: Row[Any]) -> dict[str, Any]:
    return {name: value for name, value in document(row).items() if name != "place"}


def _answer(
    output: Output,
    noun: str,
    documents: Sequence[Mapping[str, Any]],
    following: str | None,
    shown: "Table",
    below: Sequence[str] = (),
    **totals: Sequence[Mapping[str, Any]] | None,
) -> None:
    if output.as_csv:
        output.csv_rows().write(documents)
    else:
        view = [totals_of(known) for known in totals.values() if known]
        output.answer({noun: documents, **totals, "next": following}, shown, *view, *below)
    if following:
        output.note(f"More: --after {following}")
