"""Steering a collection from the command line: done, or refused with the field and the rule."""

import pytest

from sandbox.stripe.control.client import SandboxControl
from tests.support.attempts import never_answer
from tests.support.builders import Merchant, declined
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "the customer called")


@pytest.fixture
async def in_dunning(cli: CommandLine, merchant: Merchant, workers: None, period: str) -> str:
    """An account whose collection waits for its next attempt."""
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)
    await cli.json("collections", "start", account, period)
    return account


async def closed(cli: CommandLine, account: str, period: str) -> tuple[str, str]:
    """How the collection ended; it has no timer left when its command has been answered and carried out."""
    while (shown := await cli.json("collections", "show", account, period))["stage"] not in {"settled", "given_up"}:
        continue
    return shown["stage"], shown["reason"]


async def test_retry_tries_at_once(cli: CommandLine, in_dunning: str, period: str) -> None:
    result = await cli.json("collections", "retry", in_dunning, period, *WHO)

    assert result["answer"] == "retry now"
    assert await closed(cli, in_dunning, period) == ("settled", "settled")


async def test_skip_and_extend_charge_nothing(
    cli: CommandLine, in_dunning: str, period: str, stripe_sandbox: SandboxControl
) -> None:
    await cli.json("collections", "skip", in_dunning, period, *WHO)
    await cli.json("collections", "extend", in_dunning, period, "--until", "2026-12-20", *WHO)
    shown = await cli.json("collections", "show", in_dunning, period)

    assert shown["now"]["next_action_at"].startswith("2026-12-20")
    assert (shown["next_action_at"], shown["needs_review"]) == (shown["now"]["next_action_at"], False)
    assert stripe_sandbox.request_counts()["POST /v1/payment_intents"] == 1


async def test_a_collection_that_waits_for_a_person_says_so_and_why(
    cli: CommandLine, in_dunning: str, period: str
) -> None:
    await cli.json("fraud", "block", "account", in_dunning, *WHO)
    await cli.json("collections", "retry", in_dunning, period, *WHO)
    while not (shown := await cli.json("collections", "show", in_dunning, period))["needs_review"]:
        continue
    read = await cli("collections", "show", in_dunning, period)

    assert shown["review_reason"] == "account_blocked"
    assert "needs a person: account_blocked" in read.stdout


async def test_what_was_paid_outside_ends_the_collection(
    cli: CommandLine, merchant: Merchant, in_dunning: str, period: str
) -> None:
    result = await cli.json("collections", "mark-paid", in_dunning, period, "--reference", "B-17", *WHO)

    assert result["answer"].startswith("PAY-")
    assert await closed(cli, in_dunning, period) == ("settled", "nothing_owed")
    assert await merchant.balance(in_dunning) == 0


async def test_giving_up_ends_the_collection(cli: CommandLine, in_dunning: str, period: str) -> None:
    await cli.json("collections", "give-up", in_dunning, period, *WHO)

    assert await closed(cli, in_dunning, period) == ("given_up", "operator_gave_up")


async def test_an_unknown_outcome_is_resolved_by_the_gateways_id(
    cli: CommandLine, merchant: Merchant, workers: None, period: str, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=2500)
    never_answer(stripe_sandbox)
    await cli.json("collections", "start", account, period)
    payment = stripe_sandbox.movements().groups[0].payment_intent_ids[0]

    result = await cli.json("collections", "resolve", account, period, "--gateway-reference", payment, *WHO)

    assert result["answer"]["outcome"] == "settled"


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (("retry", "--actor", "", "--reason", "x"), ("actor", "collection_accepts_command")),
        (("mark-paid", "--reference", " ", *WHO), ("reference", "collection_accepts_command")),
        (("mark-paid", "--reference", "B-1", "--method", "card", *WHO), ("method", "method_is_not_a_gateways")),
        (("extend", "--until", "2020-01-01", *WHO), ("until", "collection_accepts_command")),
        (("resolve", "--was-not-charged", *WHO), ("stage", "collection_accepts_command")),
    ],
)
async def test_nonsense_is_refused_with_its_field(
    cli: CommandLine, in_dunning: str, period: str, command: tuple[str, ...], problem: tuple[str, str]
) -> None:
    verb, *options = command

    result = await cli("collections", verb, in_dunning, period, *options, "--json")

    assert (result.exit_code, result.rules) == (1, [problem])


async def test_a_collection_that_is_not_under_way_is_refused(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    result = await cli("collections", "retry", "acc_9", period, *WHO, "--json")

    assert (result.exit_code, result.rules) == (1, [("collection", "collection_under_way")])
