"""The action on a gateway provider: what of it an administrator changes (P13), as a document would."""

from collections.abc import Mapping

from activities.configuration.definitions import Definitions
from activities.database import Database
from commands.configuration.exported import provider_part
from commands.configuration.provider_editing import AMOUNTS, FIELDS, cells_of, edit
from commands.console.limited import AskedAction
from commands.output import Output
from models.console.roles import Permission
from models.operations.record_states import SETTING
from web.actions.action import Action, FormField

# What the form showed when it was opened stands beside each field: only what somebody has changed is changed.
_WAS = "was_"
_MEANINGS: Mapping[str, str] = {
    "fixed": "Comes to the percentage, by currency, such as EUR 0.25, USD 0.30.",
    "minimum": "Of a payment it is so much or more, by currency.",
    "maximum": "Of a payment it is so much or less, by currency.",
}


async def _cells(database: Database, id: str) -> dict[str, str]:
    found = await Definitions(database).everything("providers", "payment_methods")
    row = next((one for one in found["providers"] if one.id == id), None)
    if row is None:
        return {}
    shown = cells_of(provider_part(row, found))
    return {**shown, **{f"{_WAS}{name}": value for name, value in shown.items()}}


async def _change(output: Output, asked: AskedAction) -> None:
    given = {name: asked[name] for name in FIELDS}
    expected = {name: asked[f"{_WAS}{name}"] for name in FIELDS}
    await edit(output, asked.id, given, expected, actor=asked.actor, reason=asked.reason)


_FIELDS = (
    FormField(
        *("state", "State", "select"),
        words=[(word, f"{word.replace('_', ' ')}: {meaning}") for word, meaning in SETTING.words.items()],
        is_required=True,
    ),
    FormField(
        *("currencies", "Currencies"),
        is_required=True,
        help="Each with the least that is charged, such as EUR 0.50, USD 0.50; without an amount the gateway's own.",
    ),
    FormField("payment_methods", "Payment methods", help="Ids of what it handles, such as card, link."),
    FormField(
        *("percent", "Application fee, percent"),
        help="What the platform takes of payments on the account of its merchant; nothing where its fields are empty.",
    ),
    *(FormField(name, f"Application fee, {name}", help=_MEANINGS[name]) for name in AMOUNTS),
    FormField("refunded", "A refund gives the application fee back, pro rata", "checkbox"),
)
ACTIONS = (
    Action(
        *("providers", "change", "Change", "definitions apply", Permission.CONFIGURE),
        "What you change is applied as a document would be, by its rules, and is the next version of the configuration."
        " Keys are in the settings of the processes that use them, and nowhere else.",
        _change,
        (*_FIELDS, *(FormField(f"{_WAS}{name}", "", "hidden") for name in FIELDS)),
        begin=_cells,
    ),
)
