"""`users`: who may use the console is made by a command, with who and why."""

from tests.console.conftest import Browser
from tests.support.command_line import CommandLine

WHO = ("--actor", "anna", "--reason", "new in accounting")


async def test_a_user_is_made_with_a_password_that_is_shown_once_and_signs_in(
    cli: CommandLine, browser: Browser
) -> None:
    made = await cli.json("users", "add", "maria@example.com", "--role", "accountant", "--generate", *WHO)

    answer = await browser.send("/sign-in", user="maria@example.com", password=made["password"])
    listed = await cli.json("users", "list")
    history = await cli.json("users", "history", "maria@example.com")
    kept = await cli.json("commands", "list", "--command", "users add")

    assert answer.status_code == 303
    assert [(row["id"], row["role"], row["state"]) for row in listed["users"]] == [
        ("maria@example.com", "accountant", "active")
    ]
    assert [row["outcome"] for row in history["sign_ins"]] == ["signed_in"]
    assert [(row["subject"], row["actor"]) for row in kept["commands"]] == [("maria@example.com", "anna")]
    assert made["password"] not in str(kept)


async def test_what_is_wrong_with_a_user_is_refused_by_its_rule(cli: CommandLine, browser: Browser) -> None:
    await cli.json("users", "add", "maria", "--role", "viewer", "--no-password")

    refused = [
        await cli("users", *words, "--json")
        for words in (
            ("add", "maria", "--role", "viewer", "--no-password"),
            ("add", "Maria", "--role", "viewer", "--no-password"),
            ("change", "nobody", "--role", "viewer"),
            ("change", "maria"),
            ("disable", "nobody"),
            ("add", "anna", "--role", "viewer"),
        )
    ]

    assert [result.rules for result in refused] == [
        [("user", "user_is_new")],
        [("user", "user_is_name")],
        [("user", "user_exists")],
        [("user", "change_given")],
        [("user", "user_exists")],
        [("password", "password_length")],
    ]


async def test_whoever_is_disabled_is_signed_out_and_may_be_let_in_again(cli: CommandLine, browser: Browser) -> None:
    await browser.sign_in()

    await cli.json("users", "disable", "maria", *WHO)
    disabled = await browser.status("/")
    await cli.json("users", "change", "maria", "--enable", *WHO)

    assert disabled == 303
    assert [row["state"] for row in (await cli.json("users", "list"))["users"]] == ["active"]
