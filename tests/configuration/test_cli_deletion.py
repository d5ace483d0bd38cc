"""A run definition can be deleted as long as nothing was run by it."""

from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


async def test_a_definition_that_was_never_run_can_be_deleted_and_its_history_stays(
    cli: CommandLine, merchant: Merchant
) -> None:
    who = ("--actor", "maria", "--reason", "not needed")
    deleted = await cli.json("definitions", "delete", "monthly", *who)
    history = (await cli.json("definitions", "history", "monthly"))["changes"]
    again = await cli("definitions", "delete", "monthly", *who, "--json")

    assert deleted["change"] == "deleted"
    assert history[0]["changes"] == {"deleted": {"was": False, "is": True}}
    assert (history[0]["actor"], history[0]["reason"]) == ("maria", "not needed")
    assert again.rules == [("definition", "run_definition_exists")]


async def test_a_definition_that_was_run_stays_with_its_runs(cli: CommandLine, merchant: Merchant) -> None:
    await merchant.run(
        "select duly.freeze_payment_run('run/monthly/2026-11', 'monthly', '2026-11', cast('2026-12-01' as date))"
    )

    refused = await cli("definitions", "delete", "monthly", "--json")

    assert refused.rules == [("definition", "definition_was_not_run")]
    assert await merchant.value("select count(*) from duly.run_definitions where id = 'monthly'") == 1
