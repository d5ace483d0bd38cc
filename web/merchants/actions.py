"""Actions on merchants: switched on and off, read, disconnected, and whose payments are taken for one."""

from collections.abc import Awaitable, Callable

from commands.console.limited import AskedAction, Carry
from commands.merchants.connections import disconnect, refresh, switch
from commands.merchants.payers import assign, release
from commands.output import Output
from models.console.roles import Permission
from web.actions.action import Action, FormField

_ACCOUNT = (FormField("account", "Account", is_required=True),)
_CONNECTED = frozenset({"connecting", "pending", "incomplete", "successful", "restricted"})


def _switched(*, is_on: bool) -> Carry:
    async def carry(output: Output, asked: AskedAction) -> None:
        await switch(output, asked.id, asked.actor, asked.reason, is_on=is_on)

    return carry


def _of_account(change: Callable[[Output, str, str, str, str], Awaitable[None]]) -> Carry:
    async def carry(output: Output, asked: AskedAction) -> None:
        await change(output, asked.id, asked["account"], asked.actor, asked.reason)

    return carry


async def _refresh(output: Output, asked: AskedAction) -> None:
    await refresh(output, asked.id, asked.actor, asked.reason)


async def _disconnect(output: Output, asked: AskedAction) -> None:
    await disconnect(output, asked.id, asked.actor, asked.reason)


ACTIONS = (
    Action(
        *("merchants", "enable", "Switch on for payments", "merchants enable", Permission.RUN),
        "It may connect an account at the gateway, and be paid.",
        _switched(is_on=True),
    ),
    Action(
        *("merchants", "disable", "Switch off for payments", "merchants disable", Permission.RUN),
        "Nothing new is asked for on its account, or taken for it; what is under way ends as it began. Its connection"
        " stays as it is.",
        _switched(is_on=False),
    ),
    Action(
        *("merchants", "refresh", "Read its account now", "merchants refresh", Permission.RUN),
        "Where it stands is asked of the gateway now, whatever events have come.",
        _refresh,
        states=_CONNECTED,
    ),
    Action(
        *("merchants", "assign", "Assign an account", "merchants assign", Permission.RUN),
        "The account's payments are taken for this merchant from the next attempt on, and passed on to it.",
        _of_account(assign),
        _ACCOUNT,
    ),
    Action(
        *("merchants", "release", "Release an account", "merchants release", Permission.RUN),
        "The account's payments are the platform's own again. What was taken before stays the merchant's.",
        _of_account(release),
        _ACCOUNT,
    ),
    Action(
        *("merchants", "disconnect", "Disconnect", "merchants disconnect", Permission.RUN),
        "Nothing new is asked for on its account from now on. The account lives on at the gateway, its history is kept,"
        " and it may be reconnected with its id and e-mail.",
        _disconnect,
        states=_CONNECTED,
        final="Pages that are open and not paid are closed.",
    ),
)
