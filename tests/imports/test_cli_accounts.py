"""`accounts create` and `edit`: one account by hand, under the rules of the import, with who and why."""

import pytest

from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "the customer called")
CREATE = ("accounts", "create", "c1", "--owner", "Eleni Georgiou", "--currency", "EUR")


async def test_an_account_is_created_edited_and_shown_with_who_and_why(cli: CommandLine, merchant: Merchant) -> None:
    created = await cli.json(*CREATE, "--email", "e@example.com", "--credit-limit", "100.00", *WHO)
    again = await cli.json(*CREATE, "--email", "e@example.com", "--credit-limit", "100.00", *WHO)
    edited = await cli.json("accounts", "edit", "c1", "--segment", "gold", "--clear", "credit_limit", *WHO)
    unchanged = await cli.json("accounts", "edit", "c1", "--segment", "gold", *WHO)
    await cli.json("accounts", "suspend", "c1", *WHO)
    shown = await cli.json("accounts", "show", "c1")
    text = (await cli("accounts", "show", "c1")).stdout

    assert [one["outcome"] for one in (created, again, edited, unchanged)] == [
        "created",
        "unchanged",
        "changed",
        "unchanged",
    ]
    assert (shown["email"], shown["segment"], shown["credit_limit_minor"]) == ("e@example.com", "gold", None)
    assert shown["state"] == "suspended"
    state, edit, creation = shown["changes"]
    assert state["changes"] == {"state": {"was": "active", "is": "suspended"}}
    assert edit["changes"] == {
        "segment": {"was": None, "is": "gold"},
        "credit_limit_minor": {"was": 10000, "is": None},
    }
    assert (creation["actor"], creation["reason"]) == ("maria", "the customer called")
    assert "segment: none -> gold" in " ".join(text.split())


@pytest.mark.gate_cases(5)
@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((*CREATE, "--email", "nobody"), ("email", "email_format")),
        (("accounts", "create", "c 2", "--owner", "A", "--currency", "EUR"), ("account_id", "id_format")),
        (("accounts", "create", "c2", "--owner", "A", "--currency", "EURO"), ("currency", "currency_exists")),
        (("accounts", "create", "c1", "--owner", "B", "--currency", "EUR"), ("account", "id_means_one_account")),
        (("accounts", "edit", "c1"), ("edit", "something_changes")),
        (("accounts", "edit", "c1", "--clear", "owner_name"), ("clear", "field_may_be_empty")),
        (("accounts", "edit", "c1", "--region", "x", "--clear", "region"), ("clear", "given_or_cleared")),
        (("accounts", "edit", "c1", "--credit-limit", "1.005"), ("credit_limit", "amount_format")),
        (("accounts", "edit", "nobody", "--region", "x"), ("account", "account_exists")),
    ],
)
async def test_what_is_wrong_with_an_account_is_named_and_nothing_is_written(
    cli: CommandLine, merchant: Merchant, words: tuple[str, ...], problem: tuple[str, str]
) -> None:
    await cli.json(*CREATE, *WHO)

    refused = await cli(*words, *WHO, "--json")

    assert (refused.exit_code, refused.rules) == (1, [problem])
    assert await merchant.value("select count(*) from duly.account_changes") == 1
