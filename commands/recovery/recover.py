"""Leading through the recovery of a restored database: declare, read, release."""

import getpass
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from typing import Any

from temporalio.client import Client

from activities.database import Database
from activities.gateway.mode import account_of, adapter_of, merchant_of
from activities.gateway.stripe_gateway import StripeGateway
from activities.recovery.adoption import Adoption, read_files
from activities.recovery.alarms import Alarms
from activities.recovery.command_fence import CommandFence
from activities.recovery.old_workflows import OldWorkflows
from activities.recovery.temporal_memory import TemporalMemory
from commands.formatting import money
from commands.gateway_session import gateway_in_mode, gateway_of
from commands.output import Output, table
from commands.session import read_settings, temporal_of, unfenced_database_of
from models.recovery.beat import Beat
from models.recovery.recovery import SendingState
from models.tables.configuration import BANK_DEBITS
from settings import Settings
from workflows.registered import WORKFLOWS

# Other sessions of our own role.
_DISCONNECT = (
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where datname = current_database() and usename = current_user and pid <> pg_backend_pid()"
)


async def show(output: Output) -> None:
    """Show whether sending is held, what was read, and the next step."""
    settings = read_settings()
    async with unfenced_database_of(settings) as database:
        _answer(output, await database.call("recovery_view", provider_id=settings.provider))


async def declare(output: Output, moment: datetime | None, actor: str, reason: str) -> None:
    """Declare since when the database has forgotten, let Temporal remember the new epoch, and end what began before."""
    settings = read_settings()
    client = await temporal_of(settings)
    async with unfenced_database_of(settings) as database:
        # Whoever restores the same backup once more may be here before any worker: Temporal knows the epochs since.
        await CommandFence(database, settings.provider, partial(_itself, client)).compare()
        view = await database.call(
            "declare_restore",
            provider_id=settings.provider,
            moment=moment,
            actor=actor or getpass.getuser(),
            reason=reason,
        )
        # Whoever is connected connects anew, and learns of the new epoch before anything else.
        await database.rows(_DISCONNECT)
    await TemporalMemory(client).remember_beat(Beat(view["installation"], view["epoch"], 0))
    await _old_workflows(client, view).end(f"epoch {view['epoch']}, {reason}")
    _answer(output, view)


async def dismiss(output: Output, actor: str, reason: str) -> None:
    """Keep that a person says that nothing was forgotten, and go on."""
    settings = read_settings()
    async with unfenced_database_of(settings) as database:
        view = await database.call(
            "dismiss_restore", provider_id=settings.provider, actor=actor or getpass.getuser(), reason=reason
        )
    _answer(output, view)


async def read(output: Output) -> None:
    """Read what the gateway did, and write down what is missing."""
    settings = read_settings()
    async with unfenced_database_of(settings) as database:
        if await adapter_of(database, settings.provider) == BANK_DEBITS:
            _answer(output, await read_files(database, settings.provider))
            return
    async with unfenced_database_of(settings) as database, _gateway_of(settings, is_bound=False) as gateway:
        adoption = Adoption(database, settings.provider, gateway)
        account = await _unbound_account(database, settings.provider, gateway)
        if account is None:
            view = await adoption.read()
        elif not account:
            view = await adoption.read_nothing()
        else:
            async with gateway_of(settings, account) as theirs:
                view = await Adoption(database, settings.provider, theirs).read()
    _answer(output, view)


async def _unbound_account(database: Database, provider: str, gateway: StripeGateway) -> str | None:
    """Return the account of a merchant's provider that is bound to none: what the gateway shows, else "".

    None for a provider that has its account. The connection may have been forgotten: money may have moved on it.
    """
    if await account_of(database, provider) is not None:
        return None
    view = await database.call("recovery_view", provider_id=provider)
    merchant = await merchant_of(database, provider)
    made = [each for each in await gateway.accounts_made(view["installation"]) if each.merchant_id == merchant]
    unknown = await database.call("merchant_accounts_unknown", gateway_accounts=[each.gateway_account for each in made])
    return str(unknown[0]) if unknown else ""


async def release(output: Output, actor: str, reason: str, *, is_acknowledged: bool) -> None:
    """Open sending again, and let everything that is open go on from its row."""
    settings = read_settings()
    client = await temporal_of(settings)
    async with unfenced_database_of(settings) as database:
        view = await database.call("recovery_view", provider_id=settings.provider)
        if view["state"] == SendingState.RECOVERING:
            # One that visibility did not show when the restore was declared.
            await _old_workflows(client, view).end(f"epoch {view['epoch']}, {reason}")
        view = await database.call(
            "release_sending",
            provider_id=settings.provider,
            actor=actor or getpass.getuser(),
            reason=reason,
            is_acknowledged=is_acknowledged,
        )
    await Alarms(client).go_on()
    _answer(output, view)


async def adopt(output: Output, actor: str) -> None:
    """Write down what was left, where that is possible by now."""
    settings = read_settings()
    adopted: list[str] = []
    async with unfenced_database_of(settings) as database:
        # Of a bank nothing can be read: `debits adopt` takes its files.
        if await adapter_of(database, settings.provider) != BANK_DEBITS:
            async with _gateway_of(settings) as gateway:
                adopted = await Adoption(database, settings.provider, gateway).adopt_left(actor or getpass.getuser())
    named = ", ".join(adopted) or "nothing"
    output.answer({"provider": settings.provider, "adopted": adopted}, f"Written down: {named}.")


async def settle(output: Output, object_id: str, actor: str, reason: str) -> None:
    """Keep that a person has settled what was left: its account may be charged again."""
    settings = read_settings()
    async with unfenced_database_of(settings) as database:
        await database.call(
            "settle_recovery_left",
            provider_id=settings.provider,
            object=object_id,
            actor=actor or getpass.getuser(),
            reason=reason,
        )
    output.answer({"object": object_id, "state": "settled"}, f"{object_id} is settled.")


def _gateway_of(settings: Settings, *, is_bound: bool = True) -> AbstractAsyncContextManager[StripeGateway]:
    return gateway_in_mode(settings, settings.provider, open_database=unfenced_database_of, is_bound=is_bound)


async def _itself(client: Client) -> Client:
    return client


def _old_workflows(client: Client, view: Mapping[str, Any]) -> OldWorkflows:
    types = [one.__name__ for one in WORKFLOWS]
    return OldWorkflows(client, types, datetime.fromisoformat(view["epoch_began_at"]))


def _answer(output: Output, view: Mapping[str, Any]) -> None:
    last: dict[str, Any] = view["reads"][-1] if view["reads"] else {"adopted": 0, "left": [], "found": {}}
    facts = [
        ("Provider", view["provider"]),
        ("Sending", view["state"]),
        ("Why", view["reason"]),
        ("Forgot since", view["forgot_since"]),
        ("Declared", view["declared_at"]),
        ("Reads", len(view["reads"])),
        ("Found by the last", sum(last["found"].values())),
        ("Written down by it", last["adopted"]),
        ("Left for a person", len(last["left"])),
        ("Files of the bank", ", ".join(view["files"])),
        ("Next reconciliation reads", f"from {view['reconciled_again_from']} on" * bool(view["reconciled_again_from"])),
    ]
    left = [
        (one["object"], one["account"], money(one["amount_minor"], one["currency"]), one["why"]) for one in last["left"]
    ]
    output.answer(
        dict(view),
        table("", "Recovery", view["installation"], rows=[(name, str(value)) for name, value in facts if value != ""]),
        table("Left for a person", "Object", "Account", "Amount", "Why", rows=left) if left else "",
        _next_step(view, last),
    )


def _next_step(view: Mapping[str, Any], last: Mapping[str, Any]) -> str:
    match SendingState(view["state"]):
        case SendingState.OPEN if view["files"]:
            return (
                "Nothing is held but files for the bank: `debits adopt` or `refunds adopt` what the bank has, then duly"
                f" recover settle {view['files'][0]} --reason ..."
            )
        case SendingState.OPEN if view["reconciled_again_from"]:
            return (
                "Nothing is held. Disputes, payouts, fees and what was done at the gateway by hand is read from"
                f" {view['reconciled_again_from']} on by the next reconciliation: duly reconcile start"
            )
        case SendingState.OPEN:
            return "Nothing is held."
        case SendingState.HELD:
            declare = "duly recover declare --reason ... (--moment says since when the database has forgotten)"
            if view["is_certain"]:
                return f"Next: {declare}"
            return (
                "Next: duly recover dismiss --reason ... if the database was changed over to a standby that had"
                f" everything; if it was restored, or the standby may lack something: {declare}"
            )
        case _ if not view["reads"]:
            return f"Next: duly recover read, from {view['quiet_at']} on; until then requests may still arrive"
        case _ if last["adopted"] or len(view["reads"]) == 1:
            return "Next: duly recover read again, ten minutes after the one before; it must find nothing new"
        case _ if last["left"]:
            return "Next: see to what is left, then duly recover release --acknowledge --reason ..."
        case _:
            return "Next: duly recover release --reason ..."
