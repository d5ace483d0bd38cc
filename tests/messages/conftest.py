"""A merchant's customers with addresses, and the activities that send messages."""

from typing import Protocol

import pytest
from pydantic import SecretStr
from temporalio.testing import ActivityEnvironment

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.messages.outbox import MessageActivities
from activities.messages.rendering import MessageRenderer, Sender
from activities.messages.smtp import Mailer
from sandbox.servers.mail import Mailbox
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.messages.recipients import OPERATORS, PUBLIC_URL, SENDER, person
from tests.support.attempts import request_for
from tests.support.builders import API_KEY, Merchant


class MessagesTo(Protocol):
    """Makes the activities that send, for the address of a mail server; without one they send nothing."""

    def __call__(self, smtp_url: str, sender: Sender = SENDER) -> MessageActivities: ...


@pytest.fixture
def messages_to(database: Database) -> MessagesTo:
    """The activities that send messages, to be made for a mail server."""

    def make(smtp_url: str, sender: Sender = SENDER) -> MessageActivities:
        mailer = Mailer(smtp_url, timeout_seconds=2) if smtp_url else None
        return MessageActivities(database, MessageRenderer(sender), mailer)

    return make


@pytest.fixture
async def paid(merchant: Merchant, collecting: CollectActivities) -> str:
    """Ada, who has paid 25.00 EUR and is owed a receipt."""
    account = await person(merchant, "acc_ada", owes_minor=2500)
    await collecting.collect(request_for(account))
    return account


@pytest.fixture
def activity_environment() -> ActivityEnvironment:
    """Where activities run that send heartbeats."""
    return ActivityEnvironment()


@pytest.fixture
def settings(database_url: str, stripe_sandbox: SandboxControl, mailbox: Mailbox) -> Settings:
    """Settings of a worker that sends its messages to the mail catcher."""
    return Settings(
        database_url=database_url,
        temporal_address="127.0.0.1:1",
        stripe_api_key=SecretStr(API_KEY),
        stripe_api_base=stripe_sandbox.base_url,
        gateway_rate=1000,
        smtp_url=mailbox.url,
        mail_from=SENDER.mail_from,
        operators_mail=OPERATORS,
        public_url=PUBLIC_URL,
        temporal_ui_url="http://ui.example",
    )
