"""Signing in by a provider of identities: a real one on this machine says who came, and a user of ours is let in."""

import asyncio
import base64
import json
import warnings
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from activities.database import Database
from models.console.roles import ConsoleRole
from tests.console.conftest import URL
from web.app import build_app
from web.assets import own_assets
from web.context import Web

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from oidc_provider_mock import User, run_server_in_thread

# The local provider is made of what its own libraries give up one day.
pytestmark = pytest.mark.filterwarnings("ignore")

SECRET = SecretStr("of the console")
CLAIMS = {"maria": {"email": "Maria@Example.com"}, "otto": {"email": "otto@example.com", "email_verified": False}}


@pytest.fixture
def issuer() -> Iterator[str]:
    """A provider of identities that knows two people."""
    people = [User(sub=name, claims=claims) for name, claims in CLAIMS.items()]
    with run_server_in_thread(user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
async def client(web: Web, issuer: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in front of a console that trusts the provider."""
    given = {"console_oidc_issuer": issuer, "console_oidc_client_id": "duly", "console_oidc_client_secret": SECRET}
    trusting = replace(web, settings=web.settings.model_copy(update=given))
    transport = httpx.ASGITransport(app=build_app(trusting, own_assets()))
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield client


async def signed_in_there(client: httpx.AsyncClient, person: str, to: str = "/") -> str:
    """Go to the provider, sign in as a person, and return the way back."""
    leaving = await client.get("/sign-in/provider", params={"to": to})
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.post(leaving.headers["location"], data={"sub": person})
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


async def test_a_user_whom_the_provider_names_is_let_in_and_led_on(
    client: httpx.AsyncClient, web: Web, database: Database
) -> None:
    await web.users.add("maria@example.com", ConsoleRole.VIEWER, "")

    page = await client.get("/sign-in?to=/runs")
    way = await signed_in_there(client, "maria", "/runs")
    answer = await client.get(way)
    replayed = await client.get(way)

    assert replayed.status_code == 403, "the way back is gone once"
    assert "Sign in with your organisation" in page.text
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
    assert (await client.get("/runs")).status_code == 200
    await web.users.end(client.cookies["duly-console"], "127.0.0.1")
    kept = await database.rows("select user_id, method, outcome from duly.sign_ins order by id")
    assert [tuple(one) for one in kept] == [
        ("maria@example.com", "oidc", "signed_in"),
        ("maria@example.com", "oidc", "signed_out"),
    ]


async def test_whoever_is_no_user_or_has_no_verified_e_mail_is_not_let_in(client: httpx.AsyncClient, web: Web) -> None:
    await web.users.add("otto@example.com", ConsoleRole.VIEWER, "")

    unknown = await client.get(await signed_in_there(client, "maria"))
    unverified = await client.get(await signed_in_there(client, "otto"))

    assert (unknown.status_code, unverified.status_code) == (403, 502)
    assert (await client.get("/")).status_code == 303


async def test_a_way_back_that_this_browser_did_not_begin_leads_nowhere(client: httpx.AsyncClient, web: Web) -> None:
    await web.users.add("maria@example.com", ConsoleRole.VIEWER, "")
    theirs = await signed_in_there(client, "maria")
    client.cookies.clear()

    without = await client.get(theirs)
    ours = await signed_in_there(client, "maria")
    code = parse_qs(urlsplit(theirs).query)["code"][0]
    mixed = await client.get("/sign-in/provider/back", params={"code": code, "state": "guessed"})
    kept = client.cookies["duly-console-provider"]
    begun = json.loads(base64.urlsafe_b64decode(kept))
    client.cookies.set("duly-console-provider", _packed({**begun, "nonce": "another"}), domain="127.0.0.1")
    replayed = await client.get(ours)

    assert (without.status_code, mixed.status_code, replayed.status_code) == (403, 403, 502)


async def test_without_an_answer_of_the_provider_passwords_still_work(client: httpx.AsyncClient, web: Web) -> None:
    given = {"console_oidc_issuer": "http://127.0.0.1:1", "console_oidc_client_id": "duly"}
    alone = replace(web, settings=web.settings.model_copy(update=given))
    transport = httpx.ASGITransport(app=build_app(alone, own_assets()))

    async with asyncio.timeout(20), httpx.AsyncClient(transport=transport, base_url=URL) as browser:
        answer = await browser.get("/sign-in/provider")

    assert answer.status_code == 502
    assert "does not answer" in answer.text
    assert 'name="password"' in answer.text


def _packed(begun: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(begun).encode()).decode()
