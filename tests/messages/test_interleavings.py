"""Whatever is repeated, killed or refused, in whatever order: no message is taken twice, and none is lost unnoticed."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_string

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.messages.outbox import MessageActivities
from models.messages.message import MessageKind, Notice
from tests.messages.conftest import MessagesTo
from tests.messages.mail_server import FaultyMailServer, MailFault, faulty_mail_server, outbox
from tests.messages.recipients import person
from tests.support.attempts import request_for
from tests.support.builders import PERIOD, Merchant

ACCOUNTS = tuple(f"acc_{n}" for n in range(3))
STEPS = 14
SEEDS = range(6)


@dataclass(frozen=True)
class Interleaving:
    """All that an interleaving plays with."""

    draw: random.Random
    database: Database
    collecting: CollectActivities
    activities: MessageActivities
    server: FaultyMailServer

    async def step(self) -> None:
        """Do one thing that a worker may do at any moment, also again."""
        account = self.draw.choice(ACCOUNTS)
        await self.draw.choice([self.pay, self.notify, self.notify, self.send, self.send, self.die])(account)

    async def pay(self, account: str) -> None:
        await self.collecting.collect(request_for(account))

    async def notify(self, account: str) -> None:
        kind = self.draw.choice([None, MessageKind.DECLINED, MessageKind.NEEDS_REVIEW])
        notice = Notice(account, PERIOD, kind, str(self.draw.randint(1, 2)), 1000, "EUR", code="x")
        with suppress(ApplicationError):
            await ActivityEnvironment().run(self.activities.notify, notice)

    async def send(self, _account: str) -> None:
        with suppress(ApplicationError):
            await ActivityEnvironment().run(self.activities.send_page, "")

    async def die(self, account: str) -> None:
        """Claim a message as a worker does that is killed before it hands it over."""
        rows = await self.database.rows(
            "select id from duly.messages where state = 'pending' and account_id = :account limit 1", account=account
        )
        for row in rows:
            await self.database.call("claim_message", id=row.id)


@pytest.mark.gate_cases(3)
@pytest.mark.parametrize("seed", SEEDS)
async def test_no_interleaving_says_anything_twice(
    merchant: Merchant, database: Database, collecting: CollectActivities, messages_to: MessagesTo, seed: int
) -> None:
    draw = random.Random(seed)
    for account in ACCOUNTS:
        await person(merchant, account, owes_minor=1000)
    async with faulty_mail_server(*draw.choices(list(MailFault), k=12)) as server:
        interleaving = Interleaving(draw, database, collecting, messages_to(server.url), server)
        for _ in range(STEPS):
            await asyncio.gather(*(interleaving.step() for _ in range(draw.randint(1, 3))))
        server.mail_faults.clear()
        await interleaving.send("")

    states = {state for state, _ in (await outbox(merchant)).values()}
    assert twice(server.taken) == []
    assert states <= {"sent", "failed", "sending", "withheld"}
    sent = [one for one, (state, _) in (await outbox(merchant)).items() if state == "sent"]
    assert len(sent) <= len(server.taken)


def twice(raw_messages: Sequence[str]) -> list[str]:
    """Return the messages that a mail server took more than once."""
    counts = Counter(message_from_string(raw)["Message-ID"] for raw in raw_messages)
    return [message for message, count in counts.items() if count > 1]


def test_a_message_that_was_taken_twice_is_found() -> None:
    assert twice(["Message-ID: <1>\n\n", "Message-ID: <2>\n\n", "Message-ID: <1>\n\n"]) == ["<1>"]
