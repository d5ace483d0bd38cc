"""What the adapter adds to localstripe, seen through the real SDK; its money is read past the adapter."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
import stripe

from bench.second_opinion.books import read_books
from bench.second_opinion.faults import CallFault, CallFaults, FaultPlan
from bench.second_opinion.idempotency import Call, CallAnswer, KeptAnswers
from bench.second_opinion.processes import API_KEY, AdapterControl, running_adapter, running_localstripe

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams

METADATA = {"duly_request": "req_1", "duly_attempt": "req_1:1", "duly_account": "acc_1"}
CALL = Call("POST", "/v1/refunds", (("amount", "100"), ("payment_intent", "pi_1")), key="req_2:1")
DONE = CallAnswer(200, b'{"id": "re_1"}', {"Date": "Sat, 28 Nov 2026 10:10:21 GMT"})


@dataclass
class ForeignStripe:
    """localstripe behind the adapter, and the SDK on both."""

    url: str
    control: AdapterControl
    adapted: stripe.StripeClient
    direct: stripe.StripeClient

    def customer(self) -> dict[str, Any]:
        """Make a customer with a card, and return what a charge of it says."""
        customer = self.direct.v1.customers.create({"name": "Ada"}).id
        method = self.direct.v1.payment_methods.attach("pm_card_visa", {"customer": customer}).id
        return {
            "amount": 2500,
            "currency": "eur",
            "customer": customer,
            "payment_method": method,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "off_session": True,
            "confirm": True,
            "metadata": METADATA,
        }


def sdk(url: str) -> stripe.StripeClient:
    return stripe.StripeClient(API_KEY, base_addresses={"api": url}, max_network_retries=0)


def charge(client: stripe.StripeClient, wanted: dict[str, Any], key: str) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(cast("PaymentIntentCreateParams", wanted), {"idempotency_key": key})


@pytest.fixture(scope="module")
async def started(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ForeignStripe]:
    """One localstripe and one adapter for all tests: each of them uses keys of its own."""
    logs = tmp_path_factory.mktemp("logs")
    async with (
        running_localstripe(logs / "localstripe.log") as url,
        running_adapter(url, logs / "adapter.log") as control,
    ):
        yield ForeignStripe(url, control, sdk(control.url), sdk(url))


@pytest.fixture
async def foreign(started: ForeignStripe) -> ForeignStripe:
    """Both without faults, and localstripe empty."""
    await started.control.begin(FaultPlan(share=0))
    async with httpx.AsyncClient(trust_env=False) as client:
        (await client.delete(f"{started.url}/_config/data")).raise_for_status()
    return started


async def test_a_key_charges_once_and_its_answer_is_replayed(foreign: ForeignStripe) -> None:
    wanted = foreign.customer()

    first, second = (charge(foreign.adapted, wanted, "once") for _ in range(2))

    assert first.id == second.id
    assert second.last_response is not None
    assert second.last_response.headers["idempotent-replayed"] == "true"
    books = await read_books(foreign.url)
    assert ([each.amount_minor for each in books.charges], books.balances, books.doubled) == ([2500], {"EUR": 2500}, 0)


async def test_a_key_with_other_parameters_is_refused(foreign: ForeignStripe) -> None:
    wanted = foreign.customer()
    charge(foreign.adapted, wanted, "other")

    with pytest.raises(stripe.IdempotencyError):
        charge(foreign.adapted, wanted | {"amount": 2501}, "other")

    assert len((await read_books(foreign.url)).charges) == 1


async def test_localstripe_itself_charges_as_often_as_it_is_asked_and_its_books_show_it(foreign: ForeignStripe) -> None:
    wanted = foreign.customer()
    del wanted["automatic_payment_methods"]

    for _ in range(2):
        charge(foreign.direct, wanted, "direct")

    books = await read_books(foreign.url)
    assert (len(books.charges), books.doubled) == (2, 1)


async def test_a_refund_beyond_the_charge_shows_in_the_books(foreign: ForeignStripe) -> None:
    intent = charge(foreign.adapted, foreign.customer(), "beyond").id

    for number in (1, 2):
        foreign.adapted.v1.refunds.create(
            {
                "payment_intent": intent,
                "amount": 2000,
                "reason": "requested_by_customer",
                "expand": ["balance_transaction", "failure_balance_transaction"],
                "metadata": {"duly_request": f"rf_{number}"},
            },
            {"idempotency_key": f"rf_{number}"},
        )

    books = await read_books(foreign.url)
    assert ([each.amount_minor for each in books.refunds], books.balances) == ([-2000, -2000], {"EUR": -1500})
    assert books.doubled == 1


@pytest.mark.nightly
async def test_payments_are_listed_by_customer_over_all_pages_of_localstripe(foreign: ForeignStripe) -> None:
    one, other = foreign.customer(), foreign.customer()
    charge(foreign.adapted, one, "one")
    for number in range(101):
        charge(foreign.adapted, other, f"other {number}")

    listed = {
        wanted["customer"]: list(
            foreign.adapted.v1.payment_intents.list(
                {"customer": wanted["customer"], "limit": 100, "expand": ["data.latest_charge.balance_transaction"]}
            ).auto_paging_iter()
        )
        for wanted in (one, other)
    }

    assert [len(found) for found in listed.values()] == [1, 101]
    made = listed[one["customer"]][0].latest_charge
    assert isinstance(made, stripe.Charge)
    assert isinstance(made.balance_transaction, stripe.BalanceTransaction)


async def test_a_declined_charge_is_declined_again_under_its_key(foreign: ForeignStripe) -> None:
    wanted = foreign.customer()
    failing = foreign.direct.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": wanted["customer"]})

    for _ in range(2):
        with pytest.raises(stripe.CardError):
            charge(foreign.adapted, {**wanted, "payment_method": failing.id}, "declined")

    assert (await read_books(foreign.url)).charges == ()
    assert len(foreign.direct.v1.payment_intents.list().data) == 1


async def test_whatever_fails_on_the_way_the_key_charges_once(foreign: ForeignStripe) -> None:
    wanted = foreign.customer()
    await foreign.control.begin(FaultPlan(share=0.75, seed=7, late_seconds=0))

    for number in range(20):
        payment = {**wanted, "metadata": {"duly_request": f"req_{number}", "duly_attempt": f"req_{number}:1"}}
        for _ in range(40):
            try:
                charge(foreign.adapted, payment, f"req_{number}:1")
                break
            except stripe.StripeError as failed:
                # An error that is kept is all that the key will ever answer.
                if (failed.headers or {}).get("idempotent-replayed"):
                    break

    counts, books = await foreign.control.counts(), await read_books(foreign.url)
    assert set(counts.faults) == set(CallFault)
    assert (len(books.charges), books.doubled) == (20, 0)


def test_a_key_in_use_is_refused_until_its_call_has_ended() -> None:
    kept = KeptAnswers()
    assert kept.begin(CALL) is None

    in_use = kept.begin(CALL)
    kept.finish(CALL, DONE)

    assert in_use is not None
    assert in_use.status == 409
    replayed = kept.begin(replace(CALL, parameters=CALL.parameters[::-1]))
    assert replayed is not None
    assert (replayed.body, replayed.headers) == (DONE.body, {"Idempotent-Replayed": "true"})


@pytest.mark.parametrize(("status", "is_kept"), [(200, True), (400, False), (402, True), (404, False), (500, True)])
def test_an_answer_is_kept_when_the_call_was_carried_out(status: int, is_kept: bool) -> None:
    kept = KeptAnswers()
    kept.begin(CALL)

    kept.finish(CALL, CallAnswer(status, b"", {}))

    assert (kept.begin(CALL) is not None) is is_kept


def test_faults_are_the_same_for_the_same_seed_whatever_comes_between() -> None:
    alone, among_others = (CallFaults(FaultPlan(share=0.5, seed=3)) for _ in range(2))

    drawn = [alone.next_fault("a", is_write=True) for _ in range(50)]
    mixed = []
    for number in range(50):
        mixed.append(among_others.next_fault("a", is_write=True))
        among_others.next_fault(f"b{number}", is_write=False)

    assert drawn == mixed


def test_the_share_of_calls_that_fail_is_the_plans() -> None:
    faults = CallFaults(FaultPlan(share=0.75, seed=1))

    for _ in range(2000):
        faults.next_fault("a", is_write=True)

    counts = faults.counts()
    assert 0.72 < sum(counts.faults.values()) / counts.calls < 0.78
    assert min(counts.faults.values()) > 200


def test_a_read_has_no_effect_that_an_error_is_kept_for() -> None:
    faults = CallFaults(FaultPlan(share=0.9, seed=1))

    assert CallFault.STORED_ERROR not in {faults.next_fault("a", is_write=False) for _ in range(500)}
