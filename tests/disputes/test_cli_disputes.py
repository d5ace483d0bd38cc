"""`disputes`: shown, defended from a file, given up."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.client import Client

from activities.database import Database
from activities.events.delivery import EventDelivery
from activities.events.inbox import EventInbox
from activities.gateway.stripe_gateway import StripeGateway
from models.disputes.dispute import DisputeRequest
from models.workflow_ids import WORKFLOW_QUEUE, dispute_id
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from workflows.disputes.dispute import Dispute
from workflows.events.targets import target_of

WHO = ("--actor", "maria", "--reason", "delivered on the 3rd")


@pytest.fixture
async def dispute(cli: CommandLine, merchant: Merchant, temporal_server: Client, period: str, workers: None) -> str:
    """A dispute of a payment of 100.00 EUR, its workflow at work."""
    account = await merchant.account(owes_minor=10000)
    await cli.json("collections", "start", account, period)
    charge = await merchant.value("select charge_reference from duly.gateway_attempts")
    made = str(merchant.sandbox.create_dispute(charge)["id"])
    handle = await temporal_server.start_workflow(
        Dispute.run, DisputeRequest(made), id=dispute_id(made), task_queue=WORKFLOW_QUEUE
    )
    await handle.execute_update("first_reading")
    return made


async def test_evidence_goes_to_the_bank_and_is_kept_nowhere_here(
    cli: CommandLine, merchant: Merchant, temporal_server: Client, dispute: str, tmp_path: Path
) -> None:
    file = tmp_path / "evidence.toml"
    file.write_text('customer_name = "Ada Lovelace"\nproduct_description = "a monthly plan"\n')

    result = await cli.json("disputes", "submit-evidence", dispute, str(file), *WHO)
    shown = await cli.json("disputes", "show", dispute)
    at_the_gateway = await merchant.stripe.v1.disputes.retrieve_async(dispute)

    assert (result["submitted"], result["status"]) == (["customer_name", "product_description"], "under_review")
    assert at_the_gateway.evidence.customer_name == "Ada Lovelace"
    assert shown["has_evidence"]
    assert "Ada Lovelace" not in str(shown)
    assert shown["decisions"][0].endswith("evidence of 2 texts submitted, says maria: delivered on the 3rd")
    history = await temporal_server.get_workflow_handle(dispute_id(dispute)).fetch_history()
    assert "Lovelace" not in history.to_json()


async def test_a_dispute_is_given_up_and_its_payment_cancelled(
    cli: CommandLine, merchant: Merchant, dispute: str
) -> None:
    await merchant.configure('[approval_rules]\ndisputes = { EUR = "1.00" }')
    limited = await cli("disputes", "accept", dispute, *WHO, "--json")
    await merchant.configure("[approval_rules]\ndisputes = {}")
    accepted = await cli.json("disputes", "accept", dispute, *WHO)
    listed = await cli.json("disputes", "list", "--state", "lost")

    assert "giver_is_user" in limited.stderr, "whoever is no user has no limit of their own"
    assert accepted["answer"]["state"] == "lost"
    assert [each["id"] for each in listed["disputes"]] == [dispute]
    assert await merchant.value("select balance_minor from duly.account_balances order by 1 desc limit 1") == 10000


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('winning = "x"', ("winning", "evidence_known")),
        ("uncategorized_text = 1", ("uncategorized_text", "evidence_is_text")),
        ('uncategorized_text = "4242 4242 4242 4242"', ("uncategorized_text", "no_card_number")),
        ("", ("document", "evidence_required")),
        ("=", ("document", "toml")),
    ],
)
async def test_evidence_that_is_none_is_refused_before_it_leaves(
    cli: CommandLine, tmp_path: Path, text: str, problem: tuple[str, str]
) -> None:
    file = tmp_path / "evidence.toml"
    file.write_text(text)

    refused = await cli("disputes", "submit-evidence", "dp_1", str(file), *WHO, "--json")

    assert refused.rules == [problem]
    assert "4242" not in refused.stderr


async def test_no_evidence_leaves_with_a_key_of_the_other_mode(
    cli: CommandLine, merchant: Merchant, dispute: str, tmp_path: Path
) -> None:
    file = tmp_path / "evidence.toml"
    file.write_text('product_description = "a monthly plan"')
    await merchant.run("update duly.providers set mode = 'live'")

    refused = await cli("disputes", "submit-evidence", dispute, str(file), *WHO, "--json")

    assert (refused.exit_code, refused.rules) == (1, [("STRIPE_API_KEY", "key_of_mode")])
    assert (await merchant.stripe.v1.disputes.retrieve_async(dispute)).evidence_details.submission_count == 0


async def test_a_dispute_that_is_not_there_is_said_so(cli: CommandLine) -> None:
    assert (await cli("disputes", "show", "dp_none", "--json")).rules == [("dispute", "dispute_exists")]


async def test_a_dispute_of_a_payment_that_is_not_ours_waits_for_a_person(
    merchant: Merchant, database: Database, gateway: StripeGateway, temporal_server: Client
) -> None:
    intent = await merchant.stripe.v1.payment_intents.create_async(
        {"amount": 500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True, "return_url": "http://x"}
    )
    merchant.sandbox.create_dispute(str(intent.latest_charge))
    inbox = EventInbox(database, "stripe")
    found = [
        event
        async for event in gateway.events(datetime.fromtimestamp(intent.created, UTC))
        if event.subject == "dispute"
    ]
    await inbox.receive(*found)

    delivered = await EventDelivery(inbox, temporal_server, target_of).deliver_waiting()

    assert (delivered.taken, delivered.put_off) == (0, len(found))
