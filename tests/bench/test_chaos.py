"""A company whose parts are killed and cut off loses and doubles nothing; and an oracle that notices when it does."""

import ast
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import islice
from random import Random

import httpx
import psycopg
import pytest

from bench.chaos.company import BrittleCompany, CompanyOptions, running_company
from bench.chaos.families.families import configured
from bench.chaos.families.rules import FAMILY_RULES, FamilyVerdict, judge_families
from bench.chaos.figures import ChaosOptions, harm_and_judge, judge
from bench.chaos.gateway_records import GatewayRecords, read_gateway
from bench.chaos.injections import INJECTIONS, in_rounds
from bench.chaos.oracle import RULES, Acknowledged, Oracle
from sandbox.servers.postgres import DATABASE, SUPERUSER
from sandbox.stripe.control.client import AccountSettings
from tests.bench.seeded_books import WRONG_BOOKS, WRONG_RECORDS, WRONGLY_ACKNOWLEDGED, same
from tests.bench.seeded_wrongs import BROKEN_RULES, WRONGS
from tests.house.imports import imports_of
from tests.house.source import ROOT, Module

# What the gate has of it: `python -m bench chaos --quick` is two minutes, and `make nightly` has all.
SMALL = ChaosOptions(
    accounts=16,
    collections=5,
    pause_seconds=2.0,
    freeze_seconds=1.0,
    settle_seconds=180.0,
    injections_min=4,
    injections_max=5,
    kinds=("gateway worker killed", "PostgreSQL killed", "connections to Temporal cut", "workflows cancelled"),
)
NOTHING = Acknowledged(frozenset(), {})
CHARGE_OF_WRONG = {"metadata": {"duly_request": "req_wrong"}}


@pytest.fixture(scope="module")
async def company() -> AsyncIterator[BrittleCompany]:
    """A company that can be harmed; whoever harms it in a way that does not heal comes last."""
    options = CompanyOptions(
        SMALL.accounts, SMALL.seed, 1.0, missed_seconds=2.0, workers_of_each=1, configured=configured()
    )
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
    done = {"payment requests", "wallet credits", "wallet debits", "vouchers redeemed", "debits", "PaymentRun"}
    # A run may have spent a wallet, or asked for its top-up, before somebody debits it: that is refused by its rule.
    assert done <= {name.removesuffix(" refused").removesuffix(",") for name in found.counted}


@pytest.mark.slow
def test_the_oracle_finds_what_is_wrong_in_every_family(company: BrittleCompany) -> None:
    found, verdicts = {}, []
    with harmed(company) as connection:
        for rule, wrong in BROKEN_RULES.items():
            with connection.transaction(force_rollback=True):
                before = connection.execute(FAMILY_RULES[rule].encode()).fetchall()
                connection.execute(wrong.encode())
                found[rule] = (before, len(connection.execute(FAMILY_RULES[rule].encode()).fetchall()) > 0)
        for wrong, charges, done, _ in WRONGS:
            with connection.transaction(force_rollback=True):
                connection.execute(wrong.encode() or b"select 1")
                verdicts.append(judge_families(connection, [CHARGE_OF_WRONG] * charges, done))

    assert found == dict.fromkeys(FAMILY_RULES, ([], True))
    assert [
        finding for (*_, finding), verdict in zip(WRONGS, verdicts, strict=True) if finding not in all_of(verdict)
    ] == []


@pytest.mark.slow
def test_the_oracle_finds_what_is_wrong_between_the_ledger_the_gateway_and_what_was_acknowledged(
    company: BrittleCompany,
) -> None:
    records = read_gateway(company.stack.control, company.stack.settings.stripe_api_key.get_secret_value())
    missed: list[tuple[str, ...]] = []
    with harmed(company) as connection:

        def found(has: GatewayRecords = records, done: Acknowledged = NOTHING) -> Counter[str]:
            return Counter(Oracle("", has, done).judge_by(connection).findings)

        before = found()
        for wrong, change, parts in (
            *((wrong, same, (wanted,)) for wanted, wrong in WRONG_BOOKS.items()),
            *WRONG_RECORDS,
        ):
            with connection.transaction(force_rollback=True):
                connection.execute(wrong.encode() or b"select 1")
                new = found(change(records)) - before
            if not any(all(part in each for part in parts) for each in new):
                missed.append(parts)
        missed += [(wanted,) for done, wanted in WRONGLY_ACKNOWLEDGED if wanted not in found(done=done) - before]
        assert found() == before

    assert missed == []
    assert {rule for rule in RULES if not any(wanted.startswith(rule) for wanted in WRONG_BOOKS)} == set(FAMILY_RULES)


@pytest.mark.slow
async def test_the_oracle_finds_a_charge_that_was_doubled_and_one_that_is_not_booked(company: BrittleCompany) -> None:
    company.control.set_account_settings(AccountSettings(honours_idempotency_keys=False))
    before = await judge(company, NOTHING)

    for _ in range(2):
        charge_as_duly(company, key="req_twice:1", request="req_twice")
    after = await judge(company, NOTHING)

    # What the bank has booked of debits is not among what it is given here.
    others = [one for one in before.discrepancies if not one.startswith(("debit ", "the bank "))]
    assert (before.double_charges, others) == ((), [])
    assert after.double_charges == ("req_twice was charged 2 times",)
    assert after.doubled_per_million > 0
    assert len(set(after.lost_payments) - set(before.lost_payments)) == 2
    company.control.set_account_settings(AccountSettings())


@pytest.mark.slow
async def test_the_oracle_finds_a_row_that_is_missing_from_the_ledger(company: BrittleCompany) -> None:
    before = await judge(company, NOTHING)
    with harmed(company) as connection:
        connection.execute(
            "delete from duly.transfers where (source_id, position) in (select source_id, position from duly.transfers"
            " where debit_account = 'gateway_clearing:stripe' limit 1)"
        )

    after = await judge(company, NOTHING)

    assert any(found.startswith("balance ") for found in set(after.discrepancies) - set(before.discrepancies))
    assert set(after.broken_invariants) - set(before.broken_invariants)


def test_the_oracle_imports_nothing_of_the_product() -> None:
    product = {"models", "activities", "workflows", "commands", "migrations", "telemetry", "settings"}
    names = ("oracle", "gateway_records", "families/rules")
    files = [ROOT / "bench" / "chaos" / f"{name}.py" for name in names]

    read = [Module(file, ast.parse(file.read_text(encoding="utf-8"))) for file in files]
    imported = {name for module in read for _, name in imports_of(module)}

    assert {name.partition(".")[0] for name in imported} & product == set()
    assert {name.rpartition(".")[0] for name in imported if name.startswith("bench.")} == {
        "bench.chaos.gateway_records",
        "bench.chaos.families.rules",
    }
    assert (ROOT / "bench/chaos/families/__init__.py").read_text(encoding="utf-8").count("\n") == 1


def test_every_round_of_faults_has_all_of_them_in_an_order_that_the_seed_gives() -> None:
    size = sum(one.times for one in INJECTIONS)

    rounds = [[one.name for one in islice(in_rounds(INJECTIONS, Random(seed)), size)] for seed in (7, 7, 8)]

    assert rounds[0] == rounds[1] != rounds[2]
    assert Counter(rounds[0]) == Counter(rounds[2]) == {one.name: one.times for one in INJECTIONS}


@contextmanager
def harmed(company: BrittleCompany) -> Iterator[psycopg.Connection]:
    """Connect as a superuser whose session fires no trigger: it may write what nobody may."""
    passwords, port = company.postgres.postgres.passwords, company.postgres.postgres.port
    address = f"postgresql://{SUPERUSER}:{passwords.superuser}@127.0.0.1:{port}/{DATABASE}"
    with psycopg.connect(address) as connection:
        connection.execute("set session_replication_role = replica")
        yield connection


def all_of(verdict: FamilyVerdict) -> tuple[str, ...]:
    return (*verdict.double_charges, *verdict.lost_payments, *verdict.discrepancies)


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
