"""Starting runs, following them, and reading what became of everyone."""

import hashlib

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from tests.support.builders import Merchant, declined
from tests.support.command_line import CommandLine


async def test_a_month_is_billed_collected_and_certified_from_the_command_line(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    for _ in range(2):
        await merchant.subscription(await merchant.account(), price_minor=1000)

    billed = await cli.json("billing", "start", "plans", period, "--not-due-yet", "--wait")
    collected = await cli.json("runs", "start", "monthly", period, "--not-due-yet", "--wait")
    certificate = await cli.json("runs", "certificate", f"run/monthly/{period}")

    assert [(row["outcome"], row["members"], row["settled_minor"]) for row in billed["totals"]] == [("billed", 2, 2380)]
    assert [(row["outcome"], row["members"]) for row in collected["totals"]] == [("charged", 2)]
    assert [item["outcome"] for item in certificate["items"]] == ["charged", "charged"]
    assert certificate["seal"] == {"computed": certificate["certificate"]["sha256"], "holds": True}


async def test_a_billing_certificate_says_net_tax_and_total_by_their_names(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    await merchant.subscription(await merchant.account(), price_minor=1000, quantity=2)
    await merchant.subscription(await merchant.account(currency="JPY"), price_minor=700)
    started = await cli.json("billing", "start", "plans", period, "--not-due-yet", "--wait")

    certificate = await cli.json("runs", "certificate", f"billing/plans/{period}")
    shown = await cli("runs", "certificate", f"billing/plans/{period}")

    named = [
        [(row["outcome"], row["net_minor"], row["tax_minor"], row["total_minor"]) for row in rows]
        for rows in (started["totals"], certificate["certificate"]["totals"], certificate["items"])
    ]
    assert named[0] == named[1] == named[2] == [("billed", 2000, 380, 2380), ("parked", 700, None, None)]
    assert certificate["seal"]["holds"]
    assert [shown.stdout.count(name) for name in ("Net", "Tax", "Total ", "Amount", "Settled")] == [2, 2, 2, 0, 0]
    assert "20.00 EUR" in shown.stdout
    assert "3.80 EUR" in shown.stdout
    assert "23.80 EUR" in shown.stdout


@pytest.mark.parametrize("words", [("billing", "start", "plans"), ("runs", "start", "monthly")])
async def test_a_run_over_nobody_is_refused_before_it_closes_the_month_unless_it_is_asked_for(
    cli: CommandLine, merchant: Merchant, workers: None, past_period: str, words: tuple[str, ...]
) -> None:
    await merchant.account(cards=[], owes_minor=2500)

    refused = await cli(*words, past_period, "--json")
    runs = await merchant.value("select count(*) from duly.process_runs")
    closed = await cli.json(*words, past_period, "--over-nobody", "--wait")

    assert (refused.exit_code, refused.rules, runs) == (1, [("period", "somebody_is_due")], 0)
    assert "with --over-nobody it closes its period all the same" in refused.error["problems"][0]["message"]
    assert (closed["state"], closed["members"]) == ("completed", 0)


@pytest.mark.nightly
async def test_a_closed_month_is_supplemented_from_the_command_line_any_number_of_times(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    await merchant.subscription(await merchant.account(), price_minor=1000)
    too_early = await cli("billing", "supplement", "plans", period, "--json")
    await cli.json("billing", "start", "plans", period, "--not-due-yet", "--wait")
    await cli.json("runs", "start", "monthly", period, "--not-due-yet", "--wait")
    over_nobody = await cli("runs", "supplement", "monthly", period, "--json")
    await merchant.subscription(await merchant.account(), price_minor=2000)

    forecast = await cli.json("billing", "dry-run", "plans", period, "--supplement")
    billed = await cli.json("billing", "supplement", "plans", period, "--wait")
    due = await cli.json("runs", "dry-run", "monthly", period, "--supplement")
    charged = await cli.json("runs", "supplement", "monthly", period, "--number", "1", "--wait")
    again = await cli("runs", "supplement", "monthly", period, "--number", "1", "--json")
    too_far = await cli("runs", "supplement", "monthly", period, "--number", "3", "--json")
    month = await cli.json("runs", "show", f"run/monthly/{period}")

    assert (too_early.exit_code, too_early.rules) == (1, [("period", "month_is_closed")])
    assert (over_nobody.exit_code, over_nobody.rules) == (1, [("period", "somebody_is_due")])
    assert [(one["net_minor"], one["tax_minor"], one["total_minor"]) for one in forecast["totals"]] == [
        (2000, 380, 2380)
    ]
    assert (billed["id"], billed["totals"][0]["total_minor"]) == (f"billing/plans/{period}/supplement-1", 2380)
    assert [one["amount_minor"] for one in due["totals"]] == [2380]
    assert (charged["id"], charged["totals"][0]["settled_minor"]) == (f"run/monthly/{period}/supplement-1", 2380)
    assert (again.exit_code, again.rules) == (1, [("number", "one_run_a_period")])
    assert (too_far.exit_code, too_far.rules) == (1, [("number", "month_is_closed")])
    assert [one["id"] for one in month["supplements"]] == [f"run/monthly/{period}/supplement-1"]
    assert [(row["outcome"], row["settled_minor"]) for row in month["of_month"]] == [("charged", 1190 + 2380)]


async def test_a_seal_is_a_hash_that_anybody_can_compute(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    account = await merchant.account(f"acc-{period}", owes_minor=2500)
    await cli.json("runs", "start", "monthly", period, "--not-due-yet", "--wait")

    certificate = await cli.json("runs", "certificate", f"run/monthly/{period}")

    (item,) = certificate["items"]
    line = f"{account}|EUR|2500|2500|charged||{item['transaction_id']}"
    assert certificate["seal"]["computed"] == hashlib.sha256(line.encode()).hexdigest()


async def test_a_certificate_whose_members_were_changed_does_not_hold(
    cli: CommandLine, merchant: Merchant, workers: None, period: str, owner_engine: AsyncEngine
) -> None:
    await merchant.account(f"acc-{period}", owes_minor=2500)
    await cli.json("runs", "start", "monthly", period, "--not-due-yet", "--wait")
    async with owner_engine.begin() as connection:
        await connection.execute(text("update duly.run_items set reason = 'forged'"))

    result = await cli("runs", "certificate", f"run/monthly/{period}", "--json")

    assert result.exit_code == 1
    assert result.document["seal"]["holds"] is False


async def test_the_same_period_is_refused_a_second_time(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    await merchant.account(f"acc-{period}", owes_minor=2500)
    await cli.json("runs", "start", "monthly", period, "--not-due-yet", "--wait")

    result = await cli("runs", "start", "monthly", period, "--not-due-yet", "--json")

    assert (result.exit_code, result.rules) == (1, [("period", "one_run_a_period")])


async def test_a_run_that_is_under_way_is_refused_by_its_id(cli: CommandLine, merchant: Merchant, period: str) -> None:
    await merchant.account(f"acc-{period}", owes_minor=2500)
    first = await cli.json("runs", "start", "monthly", period, "--not-due-yet")

    result = await cli("runs", "start", "monthly", period, "--not-due-yet")

    assert first == {"run_id": f"run/monthly/{period}", "link": _link(f"run%2Fmonthly%2F{period}")}
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: period: run/monthly/{period} has been started before")


async def test_a_period_that_was_run_is_refused_without_asking_temporal_which_may_have_forgotten_it(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    await merchant.account(f"acc-{period}", owes_minor=2500)
    await cli.json("runs", "start", "monthly", period, "--not-due-yet", "--wait")

    result = await cli(
        "runs", "start", "monthly", period, "--not-due-yet", "--json", DULY_TEMPORAL_ADDRESS="127.0.0.1:1"
    )

    assert (result.exit_code, result.rules) == (1, [("period", "one_run_a_period")])


@pytest.mark.parametrize(
    ("words", "change", "field", "rule"),
    [
        (("runs", "start", "nothing"), "", "definition", "run_definition_exists"),
        (("runs", "start", "plans"), "", "definition", "run_definition_exists"),
        (("billing", "start", "monthly"), "", "definition", "run_definition_exists"),
        (
            ("runs", "start", "monthly"),
            "update duly.run_definitions set state = 'not_effective'",
            "definition",
            "run_definition_effective",
        ),
        (
            ("runs", "start", "monthly"),
            "update duly.providers set state = 'not_effective'",
            "provider",
            "provider_effective",
        ),
    ],
)
async def test_what_may_not_run_is_refused_before_it_starts(
    cli: CommandLine, merchant: Merchant, period: str, words: tuple[str, ...], change: str, field: str, rule: str
) -> None:
    if change:
        await merchant.run(change)

    result = await cli(*words, period, "--json")

    assert (result.exit_code, result.rules) == (1, [(field, rule)])
    assert await merchant.value("select count(*) from duly.process_runs") == 0


@pytest.mark.parametrize("words", [("billing", "start", "plans"), ("runs", "start", "monthly")])
async def test_a_month_that_has_not_begun_is_refused_unless_it_is_asked_for(
    cli: CommandLine, merchant: Merchant, words: tuple[str, ...]
) -> None:
    result = await cli(*words, "2089-01", "--json")

    assert (result.exit_code, result.rules) == (1, [("period", "period_is_due")])
    assert result.error["problems"][0]["message"] == (
        "2089-01 begins on 2089-01-01; with --not-due-yet it runs all the same"
    )
    assert await merchant.value("select count(*) from duly.process_runs") == 0


async def test_with_a_calendar_a_run_waits_for_its_moment(cli: CommandLine, merchant: Merchant) -> None:
    await merchant.run(
        "update duly.run_definitions set schedule ="
        """ '{"day": 26, "hour": 10, "minute": 0, "time_zone": "Asia/Nicosia"}' where id = 'monthly'"""
    )

    result = await cli("runs", "start", "monthly", "2089-01")

    assert result.exit_code == 1
    assert result.stderr.startswith("error: period: 2089-01 is due at 2089-01-26 08:00Z; with --not-due-yet")


async def test_the_link_of_an_account_leads_to_the_event_that_charged_it(
    cli: CommandLine, merchant: Merchant, workers: None, period: str, temporal_server: Client
) -> None:
    account = await merchant.account(f"acc-{period}", owes_minor=2500)
    await cli.json("runs", "start", "monthly", period, "--not-due-yet", "--wait")

    result = await cli.json("runs", "link", f"run/monthly/{period}", account)

    shard, _, rest = result["links"]["shard"].removeprefix(_link("")).partition("/")
    execution, _, event = rest.partition("/history/events/")
    handle = temporal_server.get_workflow_handle(shard.replace("%2F", "/"), run_id=execution)
    events = [found async for found in handle.fetch_history_events() if found.event_id == int(event)]
    assert events[0].activity_task_scheduled_event_attributes.activity_id == f"collect-{account}-1"


@pytest.mark.nightly
async def test_the_links_of_a_declined_account_lead_to_its_collection(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    answers = [declined("insufficient_funds")]
    account = await merchant.account(f"acc-{period}", answers=answers, answers_for_ever=True, owes_minor=2500)
    await cli.json("runs", "start", "monthly", period, "--not-due-yet", "--wait")

    result = await _link_of_collection(cli, account, period)

    assert result == _link(f"collection%2F{account}%2F{period}")


async def test_an_account_that_was_not_in_the_run_has_no_link(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    await merchant.account(f"acc-{period}", owes_minor=2500)
    await cli.json("runs", "start", "monthly", period, "--not-due-yet", "--wait")

    result = await cli("runs", "link", f"run/monthly/{period}", "acc_9", "--json")

    assert (result.exit_code, result.rules) == (1, [("account", "account_in_run")])


async def test_a_run_without_a_certificate_has_none_to_print(
    cli: CommandLine, merchant: Merchant, owner_engine: AsyncEngine
) -> None:
    async with owner_engine.begin() as connection:
        await connection.execute(
            text(
                "insert into duly.process_runs (id, definition_id, kind, period)"
                " values ('run/monthly/2026-01', 'monthly', 'payment', '2026-01')"
            )
        )

    result = await cli("runs", "certificate", "run/monthly/2026-01", "--json")

    assert (result.exit_code, result.rules) == (1, [("run", "run_completed")])
    assert result.stdout == ""


@pytest.mark.nightly
async def test_runs_are_listed_newest_first_and_fit_100_columns(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    await merchant.account(f"acc-{period}", owes_minor=2500)
    await cli.json("runs", "start", "monthly", period, "--not-due-yet", "--wait")

    listed, shown = await cli("runs", "list"), await cli("runs", "certificate", f"run/monthly/{period}")

    assert f"run/monthly/{period}" in listed.stdout
    assert max(map(len, (listed.stdout + shown.stdout).splitlines()[:-1])) <= 100
    assert "The seal holds" in shown.stdout


def _link(path: str) -> str:
    return f"http://ui.example/namespaces/default/workflows/{path}"


async def _link_of_collection(cli: CommandLine, account: str, period: str) -> str:
    """Ask for the links until the collection that the run began has written itself down."""
    while "collection" not in (result := await cli.json("runs", "link", f"run/monthly/{period}", account))["links"]:
        assert (result["outcome"], result["reason"]) == ("in_dunning", "insufficient_funds")
    return str(result["links"]["collection"])
