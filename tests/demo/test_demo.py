"""A month of payments end to end, as `duly demo` runs it: everybody gets what their card deserves, once."""

import json
from collections import Counter

import pytest

from models.currency import exponent_of
from sandbox.customers.generation import generate
from sandbox.customers.problem_cards import PaymentProblem
from sandbox.demo.demo import Demo, DemoOptions, run_demo
from sandbox.demo.outcomes import AccountOutcome
from sandbox.servers.processes import ServiceError
from sandbox.workers import make_schedules
from tests.demo.conftest import FAULTLESS, FAULTY, LARGER
from tests.demo.privacy import card_numbers_in, histories_of, logs_of, secrets_of, seen, tables_of
from tests.support.command_line import CommandLine

DESERVED = {
    None: AccountOutcome.CHARGED,
    PaymentProblem.INSUFFICIENT_FUNDS: AccountOutcome.RECOVERED,
    PaymentProblem.DECLINED_WITH_FALLBACK: AccountOutcome.RECOVERED,
    PaymentProblem.PROCESSING_ERROR: AccountOutcome.RECOVERED,
    PaymentProblem.NEVER_RECOVERS: AccountOutcome.GIVEN_UP,
    PaymentProblem.DECLINED_FOR_GOOD: AccountOutcome.GIVEN_UP,
    PaymentProblem.EXPIRED: AccountOutcome.GIVEN_UP,
    PaymentProblem.LOST_OR_STOLEN: AccountOutcome.GIVEN_UP,
    PaymentProblem.AUTHENTICATION_REQUIRED: AccountOutcome.GIVEN_UP,
    PaymentProblem.NO_CARD: AccountOutcome.SKIPPED,
    PaymentProblem.BELOW_MINIMUM: AccountOutcome.SKIPPED,
    PaymentProblem.TERMINATED: AccountOutcome.SKIPPED,
}
# What --json promises to programs.
PROMISED = {
    "accounts", "charged", "recovered", "in_dunning", "given_up", "skipped", "unknown", "charges_at_gateway",
    "double_charges", "ledger_minor", "gateway_minor", "discrepancies", "invariants_broken", "seconds",
    "payments_per_second",
}  # fmt: skip


def _deserved(options: DemoOptions) -> Counter[AccountOutcome]:
    return Counter(DESERVED[each.problem] for each in generate(options.accounts, options.seed, options.one_in))


def _found(demo: Demo) -> Counter[AccountOutcome]:
    counts = {outcome: getattr(demo.report, outcome, 0) for outcome in AccountOutcome}
    return +Counter(counts)


def _assert_sound(demo: Demo) -> None:
    report = demo.report
    assert report.double_charges == 0
    assert list(report.discrepancies) == []
    assert list(report.invariants_broken) == []
    assert report.charges_at_gateway == report.charged + report.recovered
    assert report.ledger_minor == report.gateway_minor
    assert {exponent_of(currency) for currency in report.ledger_minor} == {0, 2, 3}


@pytest.mark.nightly
@pytest.mark.slow
async def test_a_demo_that_is_kept_is_looked_after_by_its_schedules(faultless_demo: Demo) -> None:
    await make_schedules(faultless_demo.stack)

    examined = await CommandLine(faultless_demo.stack.environment)("doctor", "--json")

    found = {one["check"]: (one["verdict"], one["advice"]) for one in examined.document["checks"]}
    assert found["schedules"] == ("ok", "")


@pytest.mark.slow
def test_every_account_of_a_calm_month_ends_as_its_card_deserves(faultless_demo: Demo) -> None:
    assert _found(faultless_demo) == _deserved(FAULTLESS)
    assert not faultless_demo.report.is_broken


def test_the_ledger_of_a_calm_month_is_what_the_gateway_holds(faultless_demo: Demo) -> None:
    _assert_sound(faultless_demo)


def test_rewards_go_back_one_of_them_after_its_refund_came_back_and_a_dispute_is_lost(faultless_demo: Demo) -> None:
    returns = faultless_demo.report.returns

    assert (returns.rewards, returns.came_back, returns.disputes_lost) == (4, 1, 1)


@pytest.mark.nightly
@pytest.mark.slow
def test_a_larger_calm_month_adds_up_as_well(larger_demo: Demo) -> None:
    returns = larger_demo.report.returns

    assert _found(larger_demo) == _deserved(LARGER)
    assert (returns.rewards, returns.came_back, returns.disputes_lost) == (4, 1, 1)
    _assert_sound(larger_demo)


@pytest.mark.nightly
@pytest.mark.slow
def test_a_gateway_that_fails_in_every_way_changes_nothing_about_how_accounts_end(faulty_demo: Demo) -> None:
    assert sum(faulty_demo.report.faults.values()) > 0
    assert _found(faulty_demo) == _deserved(FAULTY)


@pytest.mark.nightly
@pytest.mark.slow
def test_a_gateway_that_fails_in_every_way_charges_nobody_twice_and_loses_nothing(faulty_demo: Demo) -> None:
    _assert_sound(faulty_demo)


def test_the_report_has_all_that_programs_are_promised(faultless_demo: Demo) -> None:
    report = json.loads(json.dumps(faultless_demo.report.as_json()))

    assert report.keys() >= PROMISED
    assert report["accounts"] == FAULTLESS.accounts


def test_the_report_links_to_workflows_that_exist(faultless_demo: Demo) -> None:
    assert faultless_demo.report.links.keys() == {"run", "shard", "collection"}
    assert all(
        link.startswith(faultless_demo.stack.settings.temporal_ui_url) for link in faultless_demo.report.links.values()
    )


@pytest.mark.parametrize(
    ("name", "value"), [("accounts", 0), ("months", 0), ("months", 61), ("faults", -0.1), ("faults", 1.0)]
)
def test_an_option_out_of_range_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{name}: must be"):
        DemoOptions(**{name: value})  # type: ignore[arg-type]


async def test_a_stripe_account_that_is_the_user_s_own_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_API_BASE", "https://api.stripe.com")

    with pytest.raises(ServiceError, match="unset STRIPE_API_BASE"):
        await run_demo(DemoOptions())


async def test_no_log_of_a_calm_demo_names_a_customer_a_card_or_a_key(faultless_demo: Demo) -> None:
    logs = logs_of(faultless_demo)

    assert '"workflow_id"' in logs["worker-gateway.log"]
    assert seen(await secrets_of(faultless_demo), logs) == []


@pytest.mark.nightly
@pytest.mark.slow
async def test_no_log_of_a_stormy_demo_names_a_customer_a_card_or_a_key(faulty_demo: Demo) -> None:
    logs = logs_of(faulty_demo)

    assert "gateway_unanswered" in logs["worker-gateway.log"]
    assert seen(await secrets_of(faulty_demo), logs) == []


@pytest.mark.nightly
@pytest.mark.slow
async def test_no_history_of_a_stormy_demo_names_a_customer_a_card_or_a_key(faulty_demo: Demo) -> None:
    histories = await histories_of(faulty_demo)

    assert any("acc_000001" in history for history in histories.values())
    assert seen(await secrets_of(faulty_demo), histories) == []


async def test_no_history_of_a_calm_demo_names_a_customer_a_card_or_a_key(faultless_demo: Demo) -> None:
    histories = await histories_of(faultless_demo)

    assert any("acc_000001" in history for history in histories.values())
    assert seen(await secrets_of(faultless_demo), histories) == []


async def test_the_database_of_a_calm_demo_names_customers_and_cards_only_where_it_must(faultless_demo: Demo) -> None:
    tables = await tables_of(faultless_demo)

    assert {"accounts", "gateway_requests", "messages", "reductions", "disputes"} <= tables.keys()
    assert seen(await secrets_of(faultless_demo), tables) == []
    assert card_numbers_in(tables) == []


def test_the_search_finds_a_planted_card_number() -> None:
    assert card_numbers_in({"a table": "a note\n4242 4242 4242 4242", "another": "a note"}) == ["a table"]


async def test_the_search_finds_what_is_planted(faultless_demo: Demo) -> None:
    secrets = await secrets_of(faultless_demo)
    planted = {"a log": f"customer {min(secrets)} was charged", "a history": "acc_000001"}

    assert seen(secrets, planted) == [("a log", min(secrets))]
