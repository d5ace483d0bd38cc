"""What a customer hears while their payment is collected: of every step once, and nothing that is not so any more."""

import pytest
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.collections.collection import PaidOutsideCommand, Stage
from models.messages.message import MessageKind, Notice
from sandbox.servers.mail import Mailbox
from settings import Settings
from tests.messages.conftest import MessagesTo
from tests.messages.mail_server import MailFault, customers, faulty_mail_server, outbox, subjects
from tests.messages.recipients import ADA, PUBLIC_URL, person
from tests.support.builders import PERIOD, Merchant, declined
from tests.support.running_duly import RunningDuly
from worker import gateway_worker, mail_worker, workflow_worker
from workflows.collections.collection import Collection

SOFT = "insufficient_funds"


async def test_everyone_who_is_charged_by_a_run_gets_a_receipt(
    duly: RunningDuly, merchant: Merchant, mailbox: Mailbox
) -> None:
    for n in range(4):
        await person(merchant, f"acc_{n}", email=f"{n}@example.com", owes_minor=1000)

    await duly.run()
    messages = await mailbox.wait_for(4)

    assert {message.recipients[0] for message in messages} == {f"{n}@example.com" for n in range(4)}
    assert {message.subject.partition(":")[0] for message in messages} == {"Your payment of €10.00"}


async def test_a_customer_hears_of_each_decline_and_then_of_the_payment(
    duly: RunningDuly, merchant: Merchant, mailbox: Mailbox
) -> None:
    account = await person(merchant, answers=[declined(SOFT)] * 2, owes_minor=2500)

    await duly.run()
    await duly.collected(account)

    printed = subjects(mailbox, ADA)
    assert printed[:2] == ["We could not collect €25.00 for November 2026"] * 2
    assert [subject.partition(":")[0] for subject in printed[2:]] == ["Your payment of €25.00"]
    first = mailbox.to(ADA)[0].text
    token = await merchant.value("select link_token from duly.collections")
    assert "did not have enough money" in first
    assert f"{PUBLIC_URL}/pay/{token}" in first


async def test_who_is_given_up_hears_so_once(duly: RunningDuly, merchant: Merchant, mailbox: Mailbox) -> None:
    account = await person(merchant, locale="de", answers=[declined(SOFT)], answers_for_ever=True, owes_minor=2500)

    await (await duly.start_collection(account)).result()

    assert [subject.partition(" für")[0] for subject in subjects(mailbox, ADA)] == ["25,00 €"] * 5
    assert subjects(mailbox, ADA)[-1].endswith("sind noch offen")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("authentication_required", MessageKind.ACTION_REQUIRED),
        ("expired_card", MessageKind.CARD_NEEDED),
        ("stolen_card", MessageKind.CARD_NEEDED),
    ],
)
async def test_who_has_to_do_something_is_told_what_and_by_when(
    duly: RunningDuly, merchant: Merchant, mailbox: Mailbox, code: str, kind: MessageKind
) -> None:
    account = await person(merchant, answers=[declined(code)], answers_for_ever=True, owes_minor=2500)

    result = await (await duly.start_collection(account)).result()

    assert result.reason == "customer_deadline_passed"
    assert await customers(merchant) == [f"{kind}/acc_ada/{PERIOD}/1-{code}", f"given_up/acc_ada/{PERIOD}"]
    text = mailbox.to(ADA)[0].text
    assert f"{PUBLIC_URL}/pay/" in text
    assert "stolen" not in text
    assert ("The card has expired." in text) == (code == "expired_card")


async def test_a_trouble_between_us_and_the_bank_is_no_news_for_a_customer(
    duly: RunningDuly, merchant: Merchant, mailbox: Mailbox
) -> None:
    account = await person(merchant, answers=[declined("processing_error")], owes_minor=2500)

    await (await duly.start_collection(account)).result()

    assert await customers(merchant) == [f"receipt/acc_ada/{PERIOD}"]


async def test_a_decline_that_another_card_made_good_at_once_is_not_told(duly: RunningDuly, merchant: Merchant) -> None:
    account = await person(
        merchant, cards=("pm_card_visa", "pm_card_mastercard"), answers=[declined("stolen_card")], owes_minor=2500
    )

    await (await duly.start_collection(account)).result()

    assert await customers(merchant) == [f"receipt/acc_ada/{PERIOD}"]


async def test_what_was_paid_outside_gets_its_receipt(duly: RunningDuly, merchant: Merchant, mailbox: Mailbox) -> None:
    account = await person(merchant, answers=[declined(SOFT)], answers_for_ever=True, owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update(Collection.first_outcome)

    await handle.execute_update(Collection.mark_paid_outside, PaidOutsideCommand("maria", "came in", "transfer 7"))
    result = await handle.result()

    assert result.stage is Stage.SETTLED
    assert subjects(mailbox, ADA)[-1].startswith("Your payment of €25.00: receipt ")


async def test_a_message_that_is_not_so_any_more_is_withheld(
    duly: RunningDuly, merchant: Merchant, mailbox: Mailbox, messages_to: MessagesTo
) -> None:
    account = await person(merchant, answers=[declined(SOFT)], owes_minor=2500)
    await (await duly.start_collection(account)).result()
    mailbox.clear()

    late = Notice(account, PERIOD, MessageKind.DECLINED, "late", 2500, "EUR")
    await ActivityEnvironment().run(messages_to(mailbox.url).notify, late)

    assert mailbox.messages == ()
    assert (await outbox(merchant))[f"declined/acc_ada/{PERIOD}/late"] == ("withheld", "overtaken")


@pytest.mark.parametrize("whose", ["definition", "policy"])
async def test_a_merchant_who_notifies_customers_nothing_has_no_rows_for_it(
    duly: RunningDuly, merchant: Merchant, whose: str
) -> None:
    if whose == "definition":
        await merchant.run("update duly.run_definitions set notifies_customer = false")
    else:
        await merchant.run(
            """insert into duly.dunning_policies values ('standard', 2, '', '{"notifies_customer": false}')"""
        )
    declining = await person(merchant, "acc_1", answers=[declined(SOFT)], owes_minor=2500)
    await person(merchant, "acc_2", owes_minor=1000)

    await duly.run()
    await duly.collected(declining)

    assert await customers(merchant) == ([] if whose == "definition" else [f"receipt/acc_2/{PERIOD}"])


@pytest.mark.nightly
async def test_a_collection_goes_on_whatever_the_mail_server_does(
    time_skipping: WorkflowEnvironment,
    database: Database,
    gateway: StripeGateway,
    settings: Settings,
    merchant: Merchant,
) -> None:
    account = await person(merchant, answers=[declined(SOFT)], owes_minor=2500)
    away = settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:1"})
    client = time_skipping.client
    async with (
        workflow_worker(client, database),
        gateway_worker(client, database, gateway, settings),
        mail_worker(client, database, away),
    ):
        result = await (await RunningDuly(time_skipping).start_collection(account)).result()

    assert (result.stage, await merchant.balance(account)) == (Stage.SETTLED, 0)
    assert {state for state, _ in (await outbox(merchant)).values()} == {"pending"}


async def test_nothing_personal_is_in_histories_or_logs(
    duly: RunningDuly,
    merchant: Merchant,
    mailbox: Mailbox,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    account = await person(merchant, answers=[declined(SOFT)], owes_minor=2500)
    await duly.run()
    await duly.collected(account)
    token = await merchant.value("select link_token from duly.collections")

    ids = [f"collection/{account}/{PERIOD}", f"run/monthly/{PERIOD}", f"mailing/run/monthly/{PERIOD}"]
    histories = [(await duly.client.get_workflow_handle(one).fetch_history()).to_json() for one in ids]
    captured = capfd.readouterr()
    # The mail catcher, which runs in the same process here, may say what it has caught.
    logged = [record.getMessage() for record in caplog.records if record.name != "mail.log"]

    assert mailbox.to(ADA)
    for secret in (ADA, "Lovelace", token):
        assert not any(secret in text for text in [*histories, *logged, captured.out, captured.err])


@pytest.mark.nightly
async def test_the_words_of_a_mail_server_are_kept_nowhere_for_they_repeat_the_address(
    time_skipping: WorkflowEnvironment,
    database: Database,
    gateway: StripeGateway,
    settings: Settings,
    merchant: Merchant,
) -> None:
    await person(merchant, owes_minor=2500)
    client = time_skipping.client
    async with faulty_mail_server(MailFault.SENDER_REFUSED, MailFault.BUSY_RECIPIENT) as server:
        there = settings.model_copy(update={"smtp_url": server.url})
        async with (
            workflow_worker(client, database),
            gateway_worker(client, database, gateway, settings),
            mail_worker(client, database, there),
        ):
            duly = RunningDuly(time_skipping)
            await duly.run()
            mailing = client.get_workflow_handle(f"mailing/run/monthly/{PERIOD}")
            async with time_skipping.time_skipping_unlocked():  # type: ignore[attr-defined]
                await mailing.result()
            history = (await mailing.fetch_history()).to_json()

    assert len(server.taken) == 1
    assert "not you" not in history
    assert "later" not in history
