"""Actions on merchants: switched on and off, connected (P4), reconnected (P12), read, disconnected, their payers."""

from collections.abc import Awaitable, Callable, Mapping

from activities.console.choices import FormChoices
from activities.database import Database
from commands.console.limited import ANSWER_SECONDS, AskedAction, Carry
from commands.merchants.connections import ConnectOptions, connect, disconnect, refresh, switch
from commands.merchants.payers import assign, release
from commands.output import Output
from models.console.roles import Permission
from web.actions.action import Action, FormField

_ACCOUNT = (FormField("account", "Account", is_required=True),)
_PLATFORM = FormField(
    *("provider", "Through", "select", "platforms"),
    is_required=True,
    help="The provider whose platform connects the account.",
)
_CONNECT = (
    FormField("email", "Owner's e-mail", "email", is_required=True, help="To begin with at the gateway."),
    FormField("country", "Country", is_required=True, help="Where its business is, such as DE."),
    FormField("is_new_account", "Another account than that which was disconnected", "checkbox"),
    _PLATFORM,
)
_RECONNECT = (
    FormField(
        "gateway_account",
        "Account at the gateway",
        is_required=True,
        help="Its id, such as acct_..., as the owner has it.",
    ),
    FormField(
        "email", "E-mail", "email", is_required=True, help="The address under which the gateway knows the account."
    ),
    _PLATFORM,
)
_CONNECTED = frozenset({"connecting", "pending", "incomplete", "successful", "restricted"})


def _switched(*, is_on: bool) -> Carry:
    async def carry(output: Output, asked: AskedAction) -> None:
        await switch(output, asked.id, asked.actor, asked.reason, is_on=is_on)

    return carry


def _of_account(change: Callable[[Output, str, str, str, str], Awaitable[None]]) -> Carry:
    async def carry(output: Output, asked: AskedAction) -> None:
        await change(output, asked.id, asked["account"], asked.actor, asked.reason)

    return carry


async def _connect(output: Output, asked: AskedAction) -> None:
    options = ConnectOptions(
        *(asked.id, asked["provider"], asked["email"], asked.actor, asked.reason),
        country=asked["country"],
        gateway_account=asked["gateway_account"],
        is_new_account=asked["is_new_account"] == "yes",
    )
    await connect(output, options, wait_seconds=ANSWER_SECONDS)


async def _platform(database: Database, _id: str) -> Mapping[str, str]:
    """Choose the platform where there is one alone."""
    platforms = await FormChoices(database).of("platforms", "")
    return {"provider": platforms[0][0]} if len(platforms) == 1 else {}


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
        *("merchants", "connect", "Connect", "merchants connect", Permission.RUN),
        "Its account is made at the gateway. You get a link for its owner, who completes it on the gateway's own pages:"
        " whoever has the link acts for the owner, so give it to nobody else.",
        _connect,
        _CONNECT,
        frozenset({"not_connected", "connecting", "disconnected"}),
        begin=_platform,
    ),
    Action(
        *("merchants", "reconnect", "Reconnect", "merchants reconnect", Permission.RUN),
        "The account as which it was connected goes on. Its id and e-mail are compared with what the gateway knows.",
        _connect,
        _RECONNECT,
        frozenset({"disconnected"}),
        begin=_platform,
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
