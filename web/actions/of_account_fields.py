"""Actions on accounts themselves: made, edited, suspended, terminated, reactivated, as the commands do it."""

from collections.abc import Mapping

from activities.database import Database
from activities.imports.account_editing import stored_cells
from commands.console.limited import AskedAction, Carry
from commands.imports.account_editing import create, edit
from commands.ledger.account_state import change
from commands.output import Output
from models.console.roles import Permission
from models.imports.columns import ACCOUNTS, COLUMNS
from models.ledger.account import AccountState
from models.listing import heading_of
from web.actions.action import Action, FormField

# What the form showed when it was opened stands beside each field: only what somebody has changed is changed.
_WAS = "was_"
_LABELS: Mapping[str, str] = {
    "owner_name": "Owner",
    "email": "E-mail",
    "credit_limit": "Credit limit",
    "credit_period_days": "Credit period, days",
    "owner_reference": "Owner's reference",
    "time_zone": "Time zone",
    "due_date_rule": "Due date rule",
    "payment_method": "Payment method",
}
_CHOICES: Mapping[str, str] = {"payment_method": "payment_methods", "due_date_rule": "due_date_rules"}
_FIXED = frozenset({"account_id", "currency"})
_EDITED = tuple(column for column in COLUMNS[ACCOUNTS] if column.name not in _FIXED)


async def _create(output: Output, asked: AskedAction) -> None:
    names = [column.name for column in _EDITED]
    given = {name: asked[name] for name in ("currency", *names) if asked[name]}
    await create(output, {"account_id": asked.id, **given}, actor=asked.actor, reason=asked.reason)


async def _edit(output: Output, asked: AskedAction) -> None:
    """Change what somebody has changed in the form. Raises RefusedError where another has changed it meanwhile."""
    was = {column.name: asked[f"{_WAS}{column.name}"] for column in _EDITED}
    changed = {name: asked[name] for name in was if asked[name] != was[name]}
    given = {name: value for name, value in changed.items() if value}
    await edit(
        output, asked.id, given, frozenset(changed) - given.keys(), actor=asked.actor, reason=asked.reason, expected=was
    )


async def _cells(database: Database, id: str) -> dict[str, str]:
    """Return the fields of an account as its form shows them, twice; nothing where there is no account."""
    cells = await stored_cells(database, id)
    if cells is None:
        return {}
    shown = {column.name: cells.get(column.name, "") for column in _EDITED}
    return {**shown, **{f"{_WAS}{name}": value for name, value in shown.items()}}


def _into(state: AccountState) -> Carry:
    async def carry(output: Output, asked: AskedAction) -> None:
        await change(output, asked.id, state, actor=asked.actor, reason=asked.reason)

    return carry


def _field(name: str, meaning: str, *, is_required: bool, value: str = "") -> FormField:
    label = _LABELS.get(name, heading_of(name))
    kind = "select" if name in _CHOICES else "email" if name == "email" else "text"
    return FormField(
        name, label, kind, _CHOICES.get(name, ""), is_required=is_required, help=_sentence(meaning), value=value
    )


def _sentence(meaning: str) -> str:
    return f"{meaning[:1].upper()}{meaning[1:]}."


_FIELDS = tuple(_field(one.name, one.meaning, is_required=one.name == "owner_name") for one in _EDITED)
ACTIONS = (
    Action(
        *("accounts", "create", "New account", "accounts create", Permission.CORRECT),
        "A customer's account is made. Its id and its currency stay.",
        _create,
        (
            FormField("account_id", "Id", is_required=True, help="Your own: 1 to 64 ASCII characters without blanks."),
            FormField("currency", "Currency", is_required=True, help="ISO 4217, such as EUR.", value=""),
            *(
                _field(one.name, one.meaning, is_required=one.name == "owner_name", value=one.default or "")
                for one in _EDITED
            ),
        ),
        is_of_list=True,
        id_field="account_id",
    ),
    Action(
        *("accounts", "edit", "Edit", "accounts edit", Permission.CORRECT),
        "What you change is changed; a field that you empty is cleared.",
        _edit,
        (*_FIELDS, *(FormField(f"{_WAS}{one.name}", "", "hidden") for one in _EDITED)),
        begin=_cells,
    ),
    Action(
        *("accounts", "suspend", "Suspend", "accounts suspend", Permission.CORRECT),
        "A suspended account is not charged by runs until it is active again.",
        _into(AccountState.SUSPENDED),
        states=frozenset({"active"}),
    ),
    Action(
        *("accounts", "terminate", "Terminate", "accounts terminate", Permission.CORRECT),
        "It takes no new transactions, and money that still arrives goes to suspense.",
        _into(AccountState.TERMINATED),
        states=frozenset({"active", "suspended"}),
        final="A terminated account takes no more invoices and no more payments.",
    ),
    Action(
        *("accounts", "reactivate", "Reactivate", "accounts reactivate", Permission.CORRECT),
        "A suspended or terminated account is active again.",
        _into(AccountState.ACTIVE),
        states=frozenset({"suspended", "terminated"}),
    ),
)
