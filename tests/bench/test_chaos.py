"""A company whose parts are killed and cut off loses and doubles nothing; and an oracle that notices when it does."""

import ast
from collections import Counter
from collections.abc import AsyncIterator
from itertools import islice
from random import Random

import httpx
import psycopg
import pytest

from bench.chaos.company import BrittleCompany, CompanyOptions, running_company
from bench.chaos.figures import ChaosOptions, harm_and_judge, judge
from bench.chaos.injections import INJECTIONS, in_rounds
from bench.chaos.oracle import Acknowledged
from sandbox.servers.postgres import DATABASE, SUPERUSER
from sandbox.stripe.control.client import AccountSettings
from tests.house.imports import imports_of
from tests.house.source import ROOT, Module

# What the gate has of it: `python -m bench chaos --quick` is two minutes, and `make nightly` has all.
SMALL = ChaosOptions(
    accounts=16,
    collections=15,
    pause_seconds=2.0,
    freeze_seconds=1.0,
    settle_seconds=60.0,
    injections_min=4,
    kinds=("gateway worker killed", "PostgreSQL killed", "connections to Temporal cut", "workflows cancelled"),
)
NOTHING = Acknowledged(frozenset(), {})


@pytest.fixture(scope="module")
async def company() -> AsyncIterator[BrittleCompany]:
    """A company that can be harmed; whoever harms it in a way that does not heal comes last."""
    options = CompanyOptions(SMALL.accounts, SMALL.seed, 1.0, missed_seconds=2.0, workers_of_each=1)
    async with running_company(options) as company:
        yield company


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_after_kills_and_cuts_nothing_is_lost_doubled_or_stuck(company: BrittleCompany) -> None:
    found = await harm_and_judge(company, SMALL)

    assert (found.verdict.findings, found.left.stuck) == ((), ())
    assert found.collections >= SMALL.collections
    assert found.verdict.charges > 0
    assert {one.name for one in found.injected} == set(SMALL.kinds)


@pytest.mark.slow
async def test_the_oracle_finds_a_charge_that_was_doubled_and_one_that_is_not_booked(company: BrittleCompany) -> None:
    company.control.set_account_settings(AccountSettings(honours_idempotency_keys=False))
    before = await judge(company, NOTHING)

    for _ in range(2):
        charge_as_duly(company, key="req_twice:1", request="req_twice")
    after = await judge(company, NOTHING)

    assert (before.double_charges, before.discrepancies) == ((), ())
    assert after.double_charges == ("req_twice was charged 2 times",)
    assert after.doubled_per_million > 0
    assert len(set(after.lost_payments) - set(before.lost_payments)) == 2
    company.control.set_account_settings(AccountSettings())


@pytest.mark.slow
async def test_the_oracle_finds_a_row_that_is_missing_from_the_ledger(company: BrittleCompany) -> None:
    before = await judge(company, NOTHING)
    passwords, port = company.postgres.postgres.passwords, company.postgres.postgres.port
    address = f"postgresql://{SUPERUSER}:{passwords.superuser}@127.0.0.1:{port}/{DATABASE}"
    with psycopg.connect(address) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(
            "delete from duly.transfers where (source_id, position) in (select source_id, position from duly.transfers"
            " where debit_account = 'gateway_clearing:stripe' limit 1)"
        )

    after = await judge(company, NOTHING)

    assert any(found.startswith("balance ") for found in set(after.discrepancies) - set(before.discrepancies))
    assert set(after.broken_invariants) - set(before.broken_invariants)


def test_the_oracle_imports_nothing_of_the_product() -> None:
    product = {"models", "activities", "workflows", "commands", "migrations", "telemetry", "settings"}
    files = [ROOT / "bench" / "chaos" / f"{name}.py" for name in ("oracle", "gateway_records")]

    read = [Module(file, ast.parse(file.read_text(encoding="utf-8"))) for file in files]
    imported = {name for module in read for _, name in imports_of(module)}

    assert {name.partition(".")[0] for name in imported} & product == set()
    assert {name for name in imported if name.startswith("bench.")} == {"bench.chaos.gateway_records.GatewayRecords"}


def test_every_round_of_faults_has_all_of_them_in_an_order_that_the_seed_gives() -> None:
    size = sum(one.times for one in INJECTIONS)

    rounds = [[one.name for one in islice(in_rounds(INJECTIONS, Random(seed)), size)] for seed in (7, 7, 8)]

    assert rounds[0] == rounds[1] != rounds[2]
    assert Counter(rounds[0]) == Counter(rounds[2]) == {one.name: one.times for one in INJECTIONS}


def charge_as_duly(company: BrittleCompany, *, key: str, request: str) -> None:
    """Charge a good card, as a gateway's worker would."""
    api_key = company.stack.settings.stripe_api_key.get_secret_value()
    with httpx.Client(base_url=company.stack.control, headers={"Authorization": f"Bearer {api_key}"}) as client:
        customer = client.post("/v1/customers", data={"name": "A. Customer"}).json()["id"]
        card = client.post("/v1/payment_methods/pm_card_visa/attach", data={"customer": customer}).json()["id"]
        answer = client.post(
            "/v1/payment_intents",
            headers={"Idempotency-Key": key},
            data={
                "amount": 1500,
                "currency": "eur",
                "customer": customer,
                "payment_method": card,
                "off_session": "true",
                "confirm": "true",
                "automatic_payment_methods[enabled]": "true",
                "automatic_payment_methods[allow_redirects]": "never",
                "metadata[duly_request]": request,
            },
        )
        answer.raise_for_status()
