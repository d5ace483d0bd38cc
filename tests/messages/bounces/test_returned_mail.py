"""Mail that comes back after the mail server had taken it: failed, and no more to an address that is not there."""

import base64
import mailbox
from collections.abc import Sequence
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from models.messages.delivery_report import DeliveryReport, delivery_reports
from sandbox.servers.mail import Mailbox
from tests.messages.conftest import MessagesTo
from tests.messages.mail_server import outbox
from tests.messages.recipients import ADA
from tests.support.builders import PERIOD, Merchant
from tests.support.command_line import CommandLine

RECEIPT = f"receipt/acc_ada/{PERIOD}"
MAIL_ID = "0123456789abcdef0123456789abcdef"

# As Postfix 3.7 writes one; Exim, Exchange and Gmail differ in what is said to people, and in the parts left out.
REPORT = """\
From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: payments@shop.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="XX"

--XX
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered. <{final}>: host said 550 {status}

--XX
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Mon, 30 Nov 2026 10:00:00 +0000 (UTC)

Final-Recipient: rfc822; {final}
Original-Recipient: rfc822;{original}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} nobody here

--XX
Content-Type: {kind}

{headers}

--XX--
"""


def report(
    mail_id: str = MAIL_ID, *, final: str = ADA, original: str = ADA, action: str = "failed", status: str = "5.1.1",
    kind: str = "message/rfc822", to: str = f"Ada Lovelace <{ADA}>",
) -> bytes:  # fmt: skip
    """Return a report of a mail server about a message."""
    headers = f"From: The Shop <payments@shop.example>\nTo: {to}\nMessage-ID:\n <{mail_id}@shop.example>\nSubject: x"
    written = REPORT.format(
        final=final, original=original, action=action, status=status, kind=kind, headers=headers
    )  # fmt: skip
    return written.encode()


@pytest.fixture
async def sent(
    paid: str, messages_to: MessagesTo, mailbox: Mailbox, activity_environment: ActivityEnvironment
) -> str:  # fmt: skip
    """A receipt that the mail server has taken; what its Message-ID begins with."""
    await activity_environment.run(messages_to(mailbox.url).send_page, "")
    (message,) = mailbox.to(ADA)
    return str(message.parsed["Message-ID"])[1:33]


async def stops(merchant: Merchant) -> Sequence[tuple[str, str, str]]:
    """Return whom no mail reaches, who said so, and how."""
    return [tuple(row) for row in await merchant.run("select account_id, kind, reason from duly.mail_stops")]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({}, ("failed", "5.1.1", True)),
        ({"kind": "text/rfc822-headers"}, ("failed", "5.1.1", True)),
        ({"action": "Failed", "status": "5.1.10 (no null MX)"}, ("failed", "5.1.10", True)),
        ({"status": "5.2.2"}, ("failed", "5.2.2", False)),
        ({"status": "5.1.8"}, ("failed", "5.1.8", False)),
        ({"status": "none"}, ("failed", "5.0.0", False)),
        ({"action": "failed (user unknown)"}, ("failed", "5.1.1", True)),
        ({"kind": "message/global-headers"}, ("failed", "5.1.1", True)),
        ({"action": "delayed", "status": "4.4.1"}, ("delayed", "4.4.1", False)),
    ],
)
def test_a_report_says_what_became_of_which_message(words: dict[str, str], expected: tuple[str, str, bool]) -> None:
    (found,) = delivery_reports(report(**words))

    assert (found.mail_id, found.action, found.status, found.is_no_address) == (MAIL_ID, *expected)
    assert found.addresses == {ADA}
    assert ADA not in repr(found)


def encoded(mail: bytes, kind: str) -> bytes:
    """Return a report of which a part is base64, as a server has it that passes all on so."""
    head, begin, rest = mail.partition(f"Content-Type: {kind}\n".encode())
    content, end, tail = rest.partition(b"\n--XX")
    header = b"Content-Transfer-Encoding: base64\n\n"
    return head + begin + header + base64.encodebytes(content.strip() + b"\n") + end + tail


@pytest.mark.parametrize("kind", ["message/delivery-status", "message/rfc822", "text/rfc822-headers"])
def test_a_report_may_be_passed_on_with_an_encoding(kind: str) -> None:
    returned = kind if kind != "message/delivery-status" else "message/rfc822"
    (found,) = delivery_reports(encoded(report(kind=returned), kind))

    assert (found.mail_id, found.action, found.status) == (MAIL_ID, "failed", "5.1.1")
    assert found.addresses == {ADA}


def test_a_report_about_an_address_that_is_not_ascii_is_one() -> None:
    mail = report(final="ä@else.example").replace(b"message/delivery-status", b"message/global-delivery-status")
    (found,) = delivery_reports(mail.replace(b"Final-Recipient: rfc822", b"Final-Recipient: utf-8"))
    (escaped,) = delivery_reports(mail.replace("rfc822; ä".encode(), rb"utf-8; \x{E4}"))

    assert (found.action, found.is_no_address) == ("failed", True)
    assert found.addresses == escaped.addresses == {"ä@else.example", ADA}


def test_addresses_are_those_that_were_written_to_and_those_they_were_led_to() -> None:
    (found,) = delivery_reports(report(final="old@else.example", original="ada+2Bshop@mx.example"))

    assert found.addresses == {"old@else.example", "ada+shop@mx.example", ADA}


@pytest.mark.parametrize(
    "mail",
    [
        b"",
        b"\xff\xfe\x00",
        b"Subject: Hello\n\nI am away until Monday.",
        report("not-one-of-ours"),
        report().replace(b"message/delivery-status", b"text/plain"),
        report().replace(b"message/rfc822", b"text/plain"),
        report().replace(b"delivery-status", b"\xff"),
        report()[:600],
    ],
)
def test_what_is_no_report_about_a_message_says_nothing(mail: bytes) -> None:
    assert list[DeliveryReport](delivery_reports(mail)) == []


async def test_a_missing_address_is_written_to_no_more_and_the_message_is_failed(
    sent: str, cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    # given two reports, of which one is about no message of ours, and a mail of a person
    for name, mail in {"1.eml": report(sent), "2.eml": report("f" * 32), "3.eml": b"Subject: Away\n\nx"}.items():
        (tmp_path / name).write_bytes(mail)

    first = await cli.json("messages", "bounces", str(tmp_path))
    again = await cli.json("messages", "bounces", str(tmp_path))

    # then one message is failed, once, and no mail goes there
    assert (first["read"], first["messages"]) == (3, [{"id": RECEIPT, "outcome": "stopped", "status": "5.1.1"}])
    assert first["counts"] == {"stopped": 1, "failed": 0, "known": 0, "unknown": 1, "not_final": 0, "no_report": 1}
    assert (again["counts"]["known"], again["messages"]) == (1, [])
    assert await outbox(merchant) == {RECEIPT: ("failed", "returned 5.1.1")}
    assert await stops(merchant) == [("acc_ada", "bounced", "returned 5.1.1")]


async def test_a_full_mailbox_stops_nothing_but_is_failed(
    sent: str, cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    full = tmp_path / "full.eml"
    full.write_bytes(report(sent, action="delayed", status="4.2.2"))
    delayed = await cli.json("messages", "bounces", str(full))
    before = await outbox(merchant)
    full.write_bytes(report(sent, status="5.2.2"))

    failed = await cli.json("messages", "bounces", str(full))

    assert (delayed["counts"]["not_final"], before) == (1, {RECEIPT: ("sent", "")})
    assert failed["messages"] == [{"id": RECEIPT, "outcome": "failed", "status": "5.2.2"}]
    assert await outbox(merchant) == {RECEIPT: ("failed", "returned 5.2.2")}
    assert await stops(merchant) == []


async def test_an_address_that_was_changed_meanwhile_is_still_written_to(
    sent: str, cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    await merchant.run("update duly.accounts set email = 'new@example.com' where id = 'acc_ada'")
    (tmp_path / "1.eml").write_bytes(report(sent))

    answer = await cli.json("messages", "bounces", str(tmp_path))

    assert answer["counts"]["failed"] == 1
    assert await stops(merchant) == []


async def test_a_message_that_is_queued_again_is_left_to_its_next_sending(
    sent: str, cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    mail = tmp_path / "1.eml"
    mail.write_bytes(report(sent, status="5.2.2"))
    await cli.json("messages", "bounces", str(mail))
    await cli.json("messages", "resend", RECEIPT, "--actor", "maria", "--reason", "it is emptied")
    mail.write_bytes(report(sent))

    answer = await cli.json("messages", "bounces", str(mail))

    assert answer["counts"]["known"] == 1
    assert await outbox(merchant) == {RECEIPT: ("pending", "")}
    assert await stops(merchant) == []


async def test_an_mbox_and_a_maildir_are_read_and_left_as_they_are(
    sent: str, cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    box = mailbox.mbox(tmp_path / "mbox")
    box.add(b"Subject: Away\n\nx")
    box.add(report(sent, status="5.7.1"))
    box.close()
    folder = mailbox.Maildir(tmp_path / "maildir")
    folder.add(report(sent))
    content = (tmp_path / "mbox").read_bytes()

    of_mbox = await cli.json("messages", "bounces", str(tmp_path / "mbox"))
    of_maildir = await cli.json("messages", "bounces", str(tmp_path / "maildir"))
    missing = await cli("messages", "bounces", str(tmp_path / "none"), "--json")

    assert (of_mbox["counts"]["failed"], of_mbox["counts"]["no_report"]) == (1, 1)
    assert of_maildir["counts"]["known"] == 1
    assert ((tmp_path / "mbox").read_bytes(), len(folder)) == (content, 1)
    assert missing.rules == [("place", "place_exists")]
