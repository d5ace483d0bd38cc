"""The mail catcher."""

from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from sandbox.servers.mail import Mailbox, running_mailbox
from sandbox.servers.processes import ServiceError


def reminder(recipient: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "payments@localhost", recipient, "Your card ééé"
    message.set_content("Your card was declined.\n")
    message.add_alternative("<p>Your card was declined.</p>\n", subtype="html")
    return message


async def send(mailbox: Mailbox, recipient: str) -> None:
    await aiosmtplib.send(reminder(recipient), hostname="127.0.0.1", port=mailbox.port)


async def test_a_message_is_kept_for_its_recipient(mailbox: Mailbox) -> None:
    await send(mailbox, "ada@example.com")
    await send(mailbox, "grace@example.com")

    (caught,) = mailbox.to("ada@example.com")

    assert caught.sender == "payments@localhost"
    assert caught.subject == "Your card ééé"
    assert caught.text == "Your card was declined.\n"
    assert caught.html == "<p>Your card was declined.</p>\n"


async def test_waiting_for_a_message_that_does_not_come_ends(mailbox: Mailbox) -> None:
    await send(mailbox, "ada@example.com")

    with pytest.raises(TimeoutError):
        await mailbox.wait_for(2, timeout_seconds=0.05)


async def test_messages_are_also_files_when_there_is_a_folder(tmp_path: Path) -> None:
    async with running_mailbox(folder=tmp_path / "mail") as mailbox:
        await send(mailbox, "ada@example.com")
        await mailbox.wait_for(1)
    files = sorted(path.name for path in (tmp_path / "mail").iterdir())

    assert files == ["000001.eml"]


async def test_a_client_that_stays_connected_does_not_hold_up_the_end() -> None:
    async with running_mailbox() as mailbox:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=mailbox.port)
        await client.connect()
    client.close()

    assert mailbox.messages == ()


async def test_a_port_in_use_is_refused_in_words(mailbox: Mailbox) -> None:
    with pytest.raises(ServiceError, match=f"Mail catcher did not start: port {mailbox.port} cannot be used"):
        async with running_mailbox(port=mailbox.port):
            pytest.fail("two servers on one port")
