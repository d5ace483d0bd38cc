"""Collecting a single receivable from the command line, and what is refused before anything starts."""

import pytest

from tests.support.builders import Merchant, declined
from tests.support.command_line import CommandLine


async def test_an_account_is_collected_from_at_once(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    account = await merchant.account(owes_minor=2500)

    result = await cli.json("collections", "start", account, period)

    assert result["first_outcome"]["outcome"] == "settled"
    assert await merchant.balance(account) == 0


async def test_a_part_is_collected_and_the_rest_is_left(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    account = await merchant.account(owes_minor=12000)

    result = await cli.json("collections", "start", account, f"{period}-part", "--amount", "50.00")

    assert (result["first_outcome"]["outcome"], result["first_outcome"]["amount_minor"]) == ("settled", 5000)
    assert await merchant.balance(account) == 7000


@pytest.mark.parametrize(
    ("amount", "rule"),
    [
        ("120.01", "amount_collectable"),
        ("0", "amount_collectable"),
        ("0.10", "amount_at_least"),
        ("5,0", "amount_is_decimal"),
    ],
)
async def test_an_amount_that_cannot_be_collected_is_refused_by_its_rule(
    cli: CommandLine, merchant: Merchant, period: str, amount: str, rule: str
) -> None:
    account = await merchant.account(owes_minor=12000)

    refused = await cli("collections", "start", account, period, "--amount", amount, "--json")

    assert refused.rules == [("amount", rule)]


async def test_a_decline_is_an_answer_and_the_collection_goes_on(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    answers = [declined("insufficient_funds")]
    account = await merchant.account(answers=answers, answers_for_ever=True, owes_minor=2500)

    result = await cli.json("collections", "start", account, period)
    await merchant.transfer(account, 1000)
    shown = await cli.json("collections", "show", account, period)
    listed = await cli.json("collections", "list", "--state", "open")

    assert result["first_outcome"]["decline_code"] == "insufficient_funds"
    assert shown["now"]["stage"] == "dunning"
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["declined"]
    assert [(row["account_id"], row["period"]) for row in listed["collections"]] == [(account, period)]
    assert [(row["amount_minor"], row["open_minor"]) for row in (shown, *listed["collections"])] == [(2500, 1500)] * 2
    assert (shown["stage"], listed["totals"][0]["state"]) == ("dunning", "open")


async def test_a_collection_is_shown_from_the_database_when_temporal_is_away(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    answers = [declined("insufficient_funds")]
    account = await merchant.account(answers=answers, answers_for_ever=True, owes_minor=2500)
    await cli.json("collections", "start", account, period)

    result = await cli("collections", "show", account, period, "--json", DULY_TEMPORAL_ADDRESS="127.0.0.1:1")

    assert result.exit_code == 0
    assert (result.document["stage"], result.document["now"]) == ("open", None)


async def test_starting_a_collection_twice_is_refused(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    answers = [declined("insufficient_funds")]
    account = await merchant.account(answers=answers, answers_for_ever=True, owes_minor=2500)
    await cli.json("collections", "start", account, period)

    result = await cli("collections", "start", account, period, "--json")

    assert result.exit_code == 1
    assert ("period", "one_owner") in result.rules


async def test_what_is_billed_later_in_the_month_is_collected_under_another_name(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    account = await merchant.account(owes_minor=2500)
    await cli.json("collections", "start", account, period)
    await merchant.invoice(account, 700)

    refused = await cli("collections", "start", account, period, "--json")
    result = await cli.json("collections", "start", account, f"{period}-2")
    shown = await cli.json("collections", "show", account, f"{period}-2")

    assert ("period", "one_owner") in refused.rules
    assert f"{period}-2 is free" in refused.stderr
    assert (result["first_outcome"]["outcome"], result["first_outcome"]["amount_minor"]) == ("settled", 700)
    assert (shown["period"], await merchant.balance(account)) == (f"{period}-2", 0)


async def test_an_account_that_does_not_exist_is_refused(cli: CommandLine, merchant: Merchant, period: str) -> None:
    result = await cli("collections", "start", "acc_9", period, "--json")

    assert (result.exit_code, result.rules) == (1, [("account", "account_exists")])


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ("select duly.set_account_state('acc_1', 'terminated')", "account", "account_not_terminated"),
        ("update duly.cards set is_recurring = false", "account", "card_required"),
        ("update duly.cards set state = 'removed'", "account", "card_required"),
        ("update duly.providers set state = 'not_effective'", "provider", "provider_effective"),
        ("update duly.provider_currencies set minimum_minor = 2501", "account", "amount_at_least"),
    ],
)
async def test_what_cannot_be_collected_is_refused_before_it_starts(
    cli: CommandLine, merchant: Merchant, period: str, change: str, field: str, rule: str
) -> None:
    account = await merchant.account("acc_1", owes_minor=2500)
    await merchant.run(change)

    result = await cli("collections", "start", account, period, "--json")

    assert (result.exit_code, result.rules) == (1, [(field, rule)])
    assert await merchant.value("select count(*) from duly.collections") == 0


async def test_a_currency_that_the_provider_does_not_take_is_refused(
    cli: CommandLine, merchant: Merchant, period: str
) -> None:
    account = await merchant.account(currency="USD")
    await merchant.invoice(account, 2500, currency="USD")

    result = await cli("collections", "start", account, period, "--json")

    assert (result.exit_code, result.rules) == (1, [("provider", "currency_of_provider")])


async def test_a_debt_between_two_steps_of_the_gateway_is_collected_but_for_its_rest(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    account = await merchant.account(currency="KWD", owes_minor=1234)

    started = await cli.json("collections", "start", account, period)
    shown = await cli.json("collections", "show", account, period)
    again = await cli("collections", "start", account, f"{period}-2", "--json")

    assert (started["first_outcome"]["outcome"], started["first_outcome"]["amount_minor"]) == ("settled", 1230)
    assert shown["amount_minor"] == 1230
    assert (again.exit_code, again.rules) == (1, [("account", "amount_in_steps")])
    assert "owes 0.004 KWD, the gateway takes KWD in steps of 0.010 KWD" in again.stderr


async def test_an_account_that_owes_nothing_is_refused(cli: CommandLine, merchant: Merchant, period: str) -> None:
    account = await merchant.account()

    result = await cli("collections", "start", account, period, "--json")

    assert (result.exit_code, result.rules) == (1, [("account", "something_owed")])
