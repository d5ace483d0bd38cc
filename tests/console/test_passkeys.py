"""Passkeys of the console: registered by who is signed in, used without a password, removed, never just believed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.database import Database
from models.console.roles import ConsoleRole
from tests.console.conftest import OURS, PASSWORD, Browser
from tests.console.devices import Device
from tests.support.command_line import CommandLine
from web.app import build_app
from web.assets import own_assets
from web.context import Web
from web.passkeys import RelyingParty
from web.sign_in_limits import SignInLimits

HOST = "localhost"
NAMED = f"http://{HOST}:8010"
WHO = ("--actor", "anna", "--reason", "the laptop is lost")


@dataclass
class Owner:
    """Somebody with a browser and a device."""

    browser: Browser
    device: Device

    async def options(self, path: str, **fields: str) -> dict[str, Any]:
        """Ask what the device is to answer."""
        answer = await self.browser.send(path, OURS, **fields)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def registers(self, name: str = "laptop") -> httpx.Response:
        """Add the device's passkey."""
        await self.browser.open("/passkeys")
        made = self.device.made(await self.options("/passkeys/options"))
        return await self.browser.send("/passkeys", name=name, credential=made)

    async def signs(self, device: Device | None = None) -> str:
        """Return what a device answers to a sign-in that begins now."""
        return (device or self.device).signed(await self.options("/sign-in/passkey/options"))

    async def signs_in(self, answer: str = "") -> int:
        """Sign in as a browser that nobody is signed in with, and return how that is answered."""
        self.browser.client.cookies.clear()
        sent = await self.browser.send("/sign-in/passkey", credential=answer or await self.signs(), to="/runs")
        return sent.status_code


@pytest.fixture
async def owner(web: Web) -> AsyncIterator[Owner]:
    """Maria, signed in at a console that has a name, with a device that has no passkey yet."""
    limits = SignInLimits()
    named = replace(web, settings=web.settings.model_copy(update={"console_url": NAMED}), limits=limits)
    transport = httpx.ASGITransport(app=build_app(named, own_assets()))
    async with httpx.AsyncClient(transport=transport, base_url=NAMED) as client:
        browser = Browser(client, web.users)
        await browser.sign_in()
        yield Owner(browser, Device(NAMED, HOST))


async def sign_ins(database: Database) -> list[tuple[str, str, str]]:
    rows = await database.rows("select user_id, method, outcome from duly.sign_ins order by id")
    return [(row.user_id, row.method, row.outcome) for row in rows]


async def test_a_passkey_is_added_listed_and_signs_its_user_in_without_a_password(
    owner: Owner, database: Database, cli: CommandLine
) -> None:
    added = await owner.registers()
    page = await owner.browser.open("/passkeys")
    status = await owner.signs_in()

    assert (added.status_code, "laptop" in page, status) == (303, True, 303)
    assert "maria" in await owner.browser.open("/")
    assert (await sign_ins(database))[-1] == ("maria", "passkey", "signed_in")
    listed = (await cli.json("users", "passkeys", "list", "maria"))["passkeys"]
    assert [(row["user_id"], row["name"], row["removed_at"]) for row in listed] == [("maria", "laptop", None)]
    assert listed[0]["used_at"]


async def test_an_answer_is_taken_once_and_not_after_five_minutes(owner: Owner, owner_engine: AsyncEngine) -> None:
    owner.device.is_counting = False
    await owner.registers()
    first, late = await owner.signs(), await owner.signs()

    statuses = [await owner.signs_in(first), await owner.signs_in(first)]
    async with owner_engine.begin() as connection:
        await connection.execute(text("update duly.passkey_challenges set begun_at = now() - interval '6 minutes'"))
    statuses.append(await owner.signs_in(late))

    assert statuses == [303, 422, 422]


async def test_what_is_forged_lets_nobody_in_and_is_kept_as_wrong(owner: Owner, database: Database) -> None:
    await owner.registers()
    right = owner.device
    forged = {
        "another's key": replace(right, key=ec.generate_private_key(ec.SECP256R1())),
        "another origin": replace(right, origin="https://duly.example"),
        "another host": replace(right, host="duly.example"),
        "nobody verified": replace(right, is_verified=False),
        "another's handle": replace(right, handle=bytes(16)),
        "nobody's passkey": replace(right, credential_id=bytes(16)),
    }
    statuses = {}
    for why, device in forged.items():
        statuses[why] = await owner.signs_in(await owner.signs(device))

    assert statuses == dict.fromkeys(forged, 422)
    kept = {outcome for user, method, outcome in await sign_ins(database) if method == "passkey"}
    assert "signed_in" not in kept
    assert await owner.signs_in("{}") == await owner.signs_in("[" * 10_000) == 422


async def test_a_counter_that_does_not_go_up_is_of_a_copy(owner: Owner) -> None:
    await owner.registers()
    copy = replace(owner.device)

    statuses = [await owner.signs_in(), await owner.signs_in(await owner.signs(copy)), await owner.signs_in()]

    assert statuses == [303, 422, 303]


async def test_whoever_is_disabled_or_gets_another_role_is_so_by_a_passkey_too(
    owner: Owner, database: Database, web: Web
) -> None:
    await owner.registers()

    await web.users.change("maria", role=ConsoleRole.VIEWER)
    as_viewer = await owner.signs_in()
    export = await owner.browser.status("/accounts.csv")
    await web.users.change("maria", state="disabled")
    disabled = await owner.signs_in()

    assert (as_viewer, export, disabled) == (303, 403, 422)
    assert (await sign_ins(database))[-1] == ("maria", "passkey", "disabled")


async def test_a_session_that_is_not_fresh_is_asked_for_the_password(owner: Owner, owner_engine: AsyncEngine) -> None:
    async with owner_engine.begin() as connection:
        await connection.execute(text("update duly.console_sessions set started_at = now() - interval '11 minutes'"))
    page = await owner.browser.open("/passkeys")

    wrong = await owner.browser.send("/passkeys/options", password="another one's")
    made = owner.device.made(await owner.options("/passkeys/options", password=PASSWORD))
    added = await owner.browser.send("/passkeys", name="laptop", credential=made)

    assert ('name="password"' in page, wrong.status_code, added.status_code) == (True, 422, 303)


async def test_a_passkey_is_registered_by_the_session_that_began_it_and_once(owner: Owner, web: Web) -> None:
    await owner.browser.open("/passkeys")
    options = await owner.options("/passkeys/options")
    made = owner.device.made(options)
    elsewhere = Device("https://duly.example", HOST).made(await owner.options("/passkeys/options"))
    for_sign_in = owner.device.made({**options, **await owner.options("/sign-in/passkey/options")})

    refused = [
        (await owner.browser.send("/passkeys", name=name, credential=credential)).status_code
        for name, credential in (
            *(("", made), ("4242 4242 4242 4242", made)),
            *(("laptop", elsewhere), ("laptop", for_sign_in), ("laptop", "nonsense")),
        )
    ]
    await owner.browser.sign_in("paul")
    stolen = await owner.browser.send("/passkeys", name="laptop", credential=made)

    assert (refused, stolen.status_code) == ([422] * 5, 422)
    assert await web.passkeys.every() == []


async def test_one_device_is_one_users_and_a_name_is_given_once(owner: Owner) -> None:
    statuses = [(await owner.registers()).status_code, (await owner.registers("again")).status_code]
    owner.device.credential_id = bytes(16)
    statuses.append((await owner.registers("laptop")).status_code)
    await owner.browser.sign_in("paul")
    statuses += [(await owner.registers("laptop")).status_code]

    assert statuses == [303, 422, 422, 303]


async def test_a_passkey_is_tried_as_seldom_as_a_password(owner: Owner, database: Database) -> None:
    await owner.registers()
    copy = replace(owner.device, host="duly.example")

    statuses = [await owner.signs_in(await owner.signs(copy)) for _ in range(6)]

    assert statuses == [422] * 5 + [429]
    assert (await sign_ins(database))[-1] == ("", "passkey", "limited")


async def test_an_administrator_removes_a_passkey_and_its_session_is_over(owner: Owner, cli: CommandLine) -> None:
    await owner.registers()
    await owner.signs_in()
    passkey = (await cli.json("users", "passkeys", "list"))["passkeys"][0]["id"]

    await cli.json("users", "passkeys", "remove", "maria", passkey, "--yes", *WHO)
    again = await cli("users", "passkeys", "remove", "maria", passkey, "--yes", *WHO, "--json")

    assert (await owner.browser.status("/"), await owner.signs_in()) == (303, 422)
    assert again.rules == [("passkey", "passkey_exists")]
    listed = (await cli.json("users", "passkeys", "list"))["passkeys"]
    assert [row["removed_by"] for row in listed] == ["anna"]
    kept = (await cli.json("commands", "list", "--command", "users passkeys remove"))["commands"]
    assert {(row["subject"], row["actor"]) for row in kept} == {(f"maria {passkey}", "anna")}


async def test_the_last_way_to_sign_in_is_removed_only_by_who_says_that_it_is_meant(
    owner: Owner, cli: CommandLine, web: Web, owner_engine: AsyncEngine
) -> None:
    await owner.registers()
    async with owner_engine.begin() as connection:
        await connection.execute(text("update duly.users set password_hash = ''"))
    passkey = (await web.passkeys.every())[0].id

    asked = await owner.browser.send("/passkeys/remove", passkey=passkey)
    by_command = await cli("users", "passkeys", "remove", "maria", passkey, "--yes", *WHO, "--json")
    foreign = await owner.browser.send("/passkeys/remove", passkey="psk_" + "0" * 32, is_last="yes")
    meant = await owner.browser.send("/passkeys/remove", passkey=passkey, is_last="yes")

    assert (asked.status_code, foreign.status_code, meant.status_code) == (422, 422, 303)
    assert "cannot sign in any more" in asked.text
    assert by_command.rules == [("passkey", "passkey_is_not_last")]


async def test_a_console_that_is_reached_by_a_number_has_none_and_says_why(browser: Browser) -> None:
    await browser.sign_in()

    page = await browser.open("/passkeys")

    assert "for a host name alone" in page
    assert (await browser.send("/passkeys/options")).status_code == 404
    assert (await browser.send("/sign-in/passkey/options")).status_code == 404


@pytest.mark.parametrize(
    ("address", "origin", "host"),
    [
        ("https://Duly.Example:443", "https://duly.example", "duly.example"),
        ("https://duly.example:8443", "https://duly.example:8443", "duly.example"),
        ("http://localhost:8010", "http://localhost:8010", "localhost"),
    ],
)
def test_the_origin_is_the_address_as_browsers_write_it(address: str, origin: str, host: str) -> None:
    party = RelyingParty(address)

    assert (party.origin, party.host, party.is_possible) == (origin, host, True)
