"""Whatever is signed but no event gets 400, and so does whatever nobody signed: never an error of ours."""

import copy
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as configured
from hypothesis import strategies as st

from activities.events.bounded_http import Connections
from tests.events.receiver.serving import serving
from tests.events.signed_events import SECRETS, an_event, send, signed
from tests.support.builders import Merchant
from webhook import Webhook, build_app

BODIES_AT_A_TIME = 50
DEEP = 100_000

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(["", "\x00", "evt_\x00", "9" * 400]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
PATHS: list[tuple[str, ...]] = [
    ("id",),
    ("type",),
    ("created",),
    ("livemode",),
    ("data",),
    ("data", "object"),
    ("data", "object", "id"),
    ("data", "object", "mode"),
    ("data", "object", "metadata"),
    ("data", "object", "metadata", "duly_request"),
    ("data", "object", "metadata", "duly_account"),
    ("data", "object", "customer"),
    ("data", "object", "payment_intent"),
]


def changed(path: tuple[str, ...], value: object) -> bytes:
    """A good event with another value, or none, in one place."""
    event: dict[str, Any] = json.loads(an_event(customer="cus_1", metadata={"duly_request": "req_1"}))
    inside = event
    for name in path[:-1]:
        inside = inside[name]
    if value is ...:
        inside.pop(path[-1], None)
    else:
        inside[path[-1]] = copy.deepcopy(value)
    return json.dumps(event).encode("utf-8", "surrogatepass")


BODIES = st.one_of(
    st.builds(changed, st.sampled_from(PATHS), JSON | st.just(...)),
    st.builds(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"), JSON),
    st.binary(max_size=200),
    st.builds(
        lambda at, byte: an_event().encode()[:at] + byte + an_event().encode()[at:],
        st.integers(0, len(an_event())),
        st.binary(min_size=1, max_size=3),
    ),
)


def signature_of(body: bytes) -> str:
    """The gateway's signature of any bytes, text or not."""
    at = int(time.time())
    digest = hmac.new(SECRETS[0].encode(), f"{at}.".encode() + body, "sha256").hexdigest()
    return f"t={at},v1={digest}"


@pytest.fixture
async def post(webhook: Webhook) -> AsyncIterator[Callable[[bytes], Any]]:
    """Sends a signed body over a real socket and returns the status of the answer."""
    connections = Connections()
    async with serving(build_app(webhook), connections) as address, aiohttp.ClientSession() as session:

        async def send_signed(body: bytes) -> int:
            headers = {"stripe-signature": signature_of(body)}
            async with session.post(f"{address.url}/webhooks/stripe", data=body, headers=headers) as answer:
                return answer.status

        yield send_signed


ODD = given(bodies=st.lists(BODIES, min_size=BODIES_AT_A_TIME, max_size=BODIES_AT_A_TIME))
CONFIGURED = configured(
    max_examples=20,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.large_base_example,
        HealthCheck.data_too_large,
        HealthCheck.too_slow,
    ],
)


@ODD
@CONFIGURED
async def test_of_1_000_signed_bodies_each_is_stored_or_refused_as_no_event(
    post: Callable[[bytes], Any], bodies: list[bytes]
) -> None:
    assert await other_answers(post, bodies) == {}


@pytest.mark.nightly
@pytest.mark.slow
@ODD
@configured(CONFIGURED, max_examples=200)
async def test_of_10_000_signed_bodies_each_is_stored_or_refused_as_no_event(
    post: Callable[[bytes], Any], bodies: list[bytes]
) -> None:
    assert await other_answers(post, bodies) == {}


async def other_answers(post: Callable[[bytes], Any], bodies: list[bytes]) -> dict[bytes, int]:
    """Post bodies, and return those that were neither stored nor refused, with the answer to each."""
    answers = {body: await post(body) for body in bodies}
    return {body: status for body, status in answers.items() if status not in {200, 400}}


NO_EVENTS = (
    b"",
    b"null",
    b"[]",
    b"7",
    b'"event"',
    b"{}",
    b"\xff\xfe",
    b"[" * DEEP,
    b'{"data":' * 10_000,
    changed(("data",), []),
    changed(("data", "object"), "pi_1"),
    changed(("created",), "today"),
    changed(("created",), 10**30),
    changed(("created",), -1),
    changed(("created",), True),
    changed(("livemode",), "false"),
    changed(("id",), "evt_\x00"),
    changed(("id",), "pi_1"),
    changed(("id",), "evt_" + "1" * 5000),
    changed(("type",), "payment_intent\x00"),
    changed(("type",), ...),
)


async def test_a_signed_body_that_is_no_event_is_refused(post: Callable[[bytes], Any], merchant: Merchant) -> None:
    answers = {body[:80]: await post(body) for body in NO_EVENTS}

    assert set(answers.values()) == {400}, answers
    assert await merchant.value("select count(*) from duly.gateway_events") == 0


async def test_metadata_that_somebody_wrote_by_hand_names_nothing_of_ours(
    post: Callable[[bytes], Any], merchant: Merchant
) -> None:
    named = ["\x00", "req_\x00", "r" * 300, "req\n1", 7]
    for number, odd in enumerate([*({"duly_request": one} for one in named), [1]]):
        event = json.loads(an_event(f"evt_{number}", metadata=odd))
        assert await post(json.dumps(event).encode()) == 200

    stored = await merchant.run("select request_id from duly.gateway_events")
    assert [row.request_id for row in stored] == [""] * 6


async def test_a_signature_of_any_shape_is_refused(visitor: httpx.AsyncClient) -> None:
    for signature in ("t=1,v1=é", "v1=x", "t=x,v1=x", "t=1=1,v1=x", "t=" + "1" * 5000 + ",v1=x", ",", "="):
        headers = [(b"stripe-signature", signature.encode("latin-1"))]
        answer = await visitor.post("/webhooks/stripe", content=an_event(), headers=headers)
        assert answer.status_code == 400, signature


async def test_a_link_that_we_never_made_leads_nowhere(visitor: httpx.AsyncClient) -> None:
    for page in ("pay", "cards"):
        for token in ("%00", "%ff", "%ed%a0%80", "a%20b", "x" * 500, "..%2f..%2fetc", "f" * 64):
            assert (await visitor.get(f"/{page}/{token}")).status_code == 404, token


async def test_a_signature_with_two_times_counts_by_the_one_that_was_signed(visitor: httpx.AsyncClient) -> None:
    body = an_event()
    old = signed(body, at=1)["stripe-signature"]

    assert await send(visitor, body, {"stripe-signature": f"{old},t={int(time.time())}"}) == 400
