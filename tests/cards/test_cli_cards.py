"""`cards`: saving a card by token or on a page, steering it, and never a number."""

import pytest

from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "the customer called")


@pytest.fixture
async def account(merchant: Merchant) -> str:
    """An account without a card."""
    return await merchant.account(cards=[])


@pytest.mark.usefixtures("workers")
async def test_a_card_is_saved_steered_and_taken_away(cli: CommandLine, merchant: Merchant, account: str) -> None:
    token = await merchant.fresh_token("pm_card_visa")

    saved = await cli.json("cards", "register", account, "--token", token, "--no-recurring")
    card = saved["card"]
    flagged = await cli.json("cards", "set-recurring", card, *WHO)
    blocked = await cli.json("cards", "block", card, *WHO)
    again = await cli("cards", "block", card, *WHO, "--json")
    removed = await cli.json("cards", "remove", card, *WHO)
    shown = await cli("cards", "show", card)
    listed = await cli.json("cards", "list", "--account", account)

    assert saved["first_outcome"]["outcome"] == "accepted"
    assert flagged["answer"]["is_recurring"]
    assert [each["answer"]["state"] for each in (blocked, removed)] == ["blocked", "removed"]
    assert (again.exit_code, again.rules) == (1, [("state", "card_accepts_command")])
    assert "blocked, says maria: the customer called" in shown.stdout
    assert [(each["id"], each["state"]) for each in listed["cards"]] == [(card, "removed")]
    assert token not in shown.stdout + str(listed)


@pytest.mark.usefixtures("workers")
async def test_a_token_that_the_gateway_does_not_have_is_refused(cli: CommandLine, account: str) -> None:
    refused = await cli("cards", "register", account, "--token", "pm_nobody_has_this", "--json")

    (card,) = (await cli.json("cards", "list", "--account", account))["cards"]
    assert (refused.exit_code, refused.rules) == (1, [("token", "token_is_known")])
    assert (card["state"], card["id"] in refused.stderr) == ("rejected", True)


@pytest.mark.usefixtures("workers")
async def test_a_card_that_its_bank_declines_is_answered_as_refused(
    cli: CommandLine, merchant: Merchant, account: str
) -> None:
    token = await merchant.fresh_token("pm_card_visa_chargeDeclinedStolenCard")

    declined = await cli("cards", "register", account, "--token", token, "--json")

    assert declined.exit_code == 1
    assert '"outcome": "rejected"' in declined.stdout


@pytest.mark.usefixtures("workers")
async def test_without_a_token_there_is_a_page(cli: CommandLine, account: str) -> None:
    saved = await cli.json("cards", "register", account)

    assert saved["first_outcome"]["outcome"] == "action_required"
    assert saved["first_outcome"]["url"].startswith("http")


@pytest.mark.usefixtures("workers")
async def test_a_card_that_no_gateway_has_named_yet_is_shown_wherever_cards_are(cli: CommandLine, account: str) -> None:
    card = (await cli.json("cards", "register", account))["card"]

    shown = [
        await cli("accounts", "show", account),
        await cli("cards", "show", card),
        await cli("cards", "list", "--account", account),
    ]

    assert [each.exit_code for each in shown] == [0, 0, 0]
    state = (await cli.json("cards", "show", card))["state"]
    assert all(state in each.stdout for each in shown)


@pytest.mark.usefixtures("workers")
async def test_an_imported_card_is_adopted_once_and_can_be_steered(cli: CommandLine, merchant: Merchant) -> None:
    account = await merchant.account()
    card = str(await merchant.value("select id from duly.cards where account_id = :id", id=account))

    first, second = await cli.json("cards", "adopt"), await cli.json("cards", "adopt")
    default = await cli.json("cards", "set-default", card, *WHO)

    assert (first["adopted"], second["adopted"]) == (1, 0)
    assert default["answer"]["fallback_order"] == 1


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--token", "4242424242424242"), ("token", "no_card_number")),
        (("--token", "tok_visa"), ("token", "card_by_token_only")),
        (("--card", "card_4242424242424242"), ("card", "no_card_number")),
    ],
)
async def test_a_number_is_refused_before_anything_is_sent(
    cli: CommandLine, account: str, words: tuple[str, ...], problem: tuple[str, str]
) -> None:
    refused = await cli("cards", "register", account, *words, "--json")

    assert (refused.exit_code, refused.rules) == (1, [problem])
    assert "4242" not in refused.stderr


@pytest.mark.usefixtures("workers")
async def test_what_must_be_configured_first_is_named(cli: CommandLine, account: str) -> None:
    refused = await cli("cards", "register", account, "--method", "cash", "--json")

    assert (refused.exit_code, refused.rules) == (1, [("method", "method_on_provider")])


@pytest.mark.usefixtures("workers")
async def test_a_customer_switches_to_paying_by_card(cli: CommandLine, merchant: Merchant, account: str) -> None:
    await merchant.run(
        "insert into duly.payment_preferences (account_id, payment_method_id) values (:id, 'bank_transfer')", id=account
    )
    await cli.json("cards", "prefer", account, "--method", "bank_transfer")
    before = await preferred(merchant, account)

    await cli.json("cards", "register", account, "--token", await merchant.fresh_token("pm_card_visa"), "--prefer")

    assert (before, await preferred(merchant, account)) == ("bank_transfer", "card")


@pytest.mark.nightly
@pytest.mark.usefixtures("workers")
async def test_a_customer_who_changes_to_cards_is_charged_by_the_next_run(
    cli: CommandLine, merchant: Merchant, account: str, period: str
) -> None:
    await merchant.run(
        "insert into duly.payment_preferences (account_id, payment_method_id) values (:id, 'bank_transfer')"
        " on conflict do nothing",
        id=account,
    )
    await cli.json("cards", "prefer", account, "--method", "bank_transfer")
    await merchant.invoice(account, 2500)

    before = await cli.json("runs", "dry-run", "monthly", period)
    saved = await cli.json(
        "cards", "register", account, "--token", await merchant.fresh_token("pm_card_visa"), "--prefer"
    )
    run = await cli.json("runs", "start", "monthly", period, "--not-due-yet", "--wait")

    assert [(total["outcome"], total["amount_minor"]) for total in before["totals"]] == [
        ("pays_by_bank_transfer", 2500)
    ]
    assert (saved["first_outcome"]["outcome"], await preferred(merchant, account)) == ("accepted", "card")
    assert [(total["outcome"], total["amount_minor"]) for total in run["certificate"]["totals"]] == [("charged", 2500)]
    assert await merchant.balance(account) == 0
    assert (await cli.json("cards", "show", saved["card"]))["is_recurring"]


async def preferred(merchant: Merchant, account: str) -> str:
    return str(
        await merchant.value(
            "select payment_method_id from duly.payment_preferences where account_id = :id and is_default", id=account
        )
    )
