"""The list of mass actions: who began which, how far it has come, and what somebody has to look at."""

from collections.abc import Mapping
from typing import Any

from activities.console.mass_actions import MassActions
from activities.database import Database
from activities.listing import Listed
from models.listing import ListPage
from web.actions.forms import ACTIONS
from web.views.cells import Cell, Column, moment, state, text
from web.views.listing import Filter, Given, ListOfNoun, user_of

STATES = ("under_way", "stopped", "over")
# By outcome: how it reads.
OUTCOMES: Mapping[str, str] = {
    "left": "not yet",
    "done": "done",
    "waiting": "waits for another person",
    "refused": "refused",
    "failed": "not known",
    "dropped": "dropped",
}


async def _mass_actions(database: Database, page: ListPage, given: Given) -> Listed:
    by = user_of(given) if given["by"] == "me" else given["by"]
    return await MassActions(database).page(
        page, state=given["state"], user_id=by, needs_person=given["needs_person"] == "yes"
    )


def name_of(row: Any) -> str:
    """Return what was done, in the words of its form, and to what."""
    action = ACTIONS.get(row.action)
    noun = row.action.partition("/")[0].replace("-", " ")
    return f"{action.name}: {noun}" if action else row.action


def _became(row: Any) -> str:
    counts = ((words, getattr(row, f"is_{outcome}")) for outcome, words in OUTCOMES.items())
    return ", ".join(f"{count} {words}" for words, count in counts if count)


MASS_ACTIONS = ListOfNoun(
    "many",
    "Actions on several rows",
    (
        Column("Action", lambda row: Cell(name_of(row), f"/many/sent/{row.key}")),
        Column("By", lambda row: text(row.user_id)),
        Column("Why", lambda row: text(row.reason)),
        Column("State", lambda row: state(row.state)),
        Column("Rows", lambda row: text(row.chosen), is_number=True),
        Column("Became", lambda row: text(_became(row))),
        Column("Begun", lambda row: moment(row.begun_at)),
        Column("Ended", lambda row: moment(row.ended_at)),
        Column("Closed by", lambda row: text(row.closed_by)),
    ),
    (
        Filter("state", "State", STATES),
        Filter("needs_person", "Needs a person", ("yes",)),
        Filter("by", "By (or me)"),
    ),
    _mass_actions,
    "Nobody has acted on several rows of a list: choose some on a list, such as that of collections.",
)
