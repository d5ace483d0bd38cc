"""Files that a payer sees behind the link of a request: typed by what is in them, few, small, given out as files."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from activities.database import Database, RuleBrokenError
from activities.gateway.stripe_gateway import StripeGateway
from activities.payments.payment_requests import open_payment_request
from models.payments.attachment import BYTES_MAX, InvalidAttachmentError, RequestFile, attachment_of
from models.payments.payment_request import PaymentRequestInput
from tests.payments.paying_by_link import Payer, payer_at, terms
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.running_duly import RunningDuly

PDF, PNG, JPEG = b"%PDF-1.7\n...", b"\x89PNG\r\n\x1a\n...", b"\xff\xd8\xff\xe0..."
WHO = ("--actor", "maria", "--reason", "he asked for it")


@pytest.mark.parametrize(
    ("name", "content", "kept", "type"),
    [
        ("offer.pdf", PDF, "offer.pdf", "application/pdf"),
        ("photo.JPEG", JPEG, "photo.JPEG", "image/jpeg"),
        ("plan.exe", PNG, "plan.exe.png", "image/png"),
        ("../../etc/offer", PDF, ".._.._etc_offer.pdf", "application/pdf"),
    ],
)
def test_a_file_is_what_is_in_it_whatever_it_is_called(name: str, content: bytes, kept: str, type: str) -> None:
    file = attachment_of(name, content)

    assert (file.name, file.media_type) == (kept, type)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("offer.pdf", b"<html>", "file: is neither PDF, PNG nor JPEG"),
        ("offer.pdf", b"", "file: is neither PDF, PNG nor JPEG"),
        ("offer.pdf", PDF + bytes(BYTES_MAX), "file: at most 5 MiB"),
        (" . ", PDF, "name: say what the file is called"),
        ("4242424242424242.pdf", PDF, "name: "),
        ("a" * 117, PDF, "name: at most 120 characters"),
        ("of\u202efer.pdf", PDF, "name: "),
    ],
)
def test_what_is_no_file_for_a_payer_is_refused_by_name(name: str, content: bytes, problem: str) -> None:
    with pytest.raises(InvalidAttachmentError, match=f"^{problem}"):
        attachment_of(name, content)


@pytest.fixture
async def payer(database: Database, standing_duly: RunningDuly, gateway: StripeGateway) -> AsyncIterator[Payer]:
    """Somebody with a browser."""
    async with payer_at(database, standing_duly, gateway) as somebody:
        yield somebody


async def test_a_payer_sees_the_files_behind_the_link_and_nobody_else_does(
    cli: CommandLine, merchant: Merchant, payer: Payer, period: str, tmp_path: Path
) -> None:
    account, id = await merchant.account(), f"files-{period}"
    for name, content in (("offer.pdf", PDF), ("photo.png", PNG), ("page.html", b"<script>")):
        (tmp_path / name).write_bytes(content)
    ask = ("payment-requests", "create", account, "--title", "Catering", "--amount", "25.00", "--no-mail", *WHO)
    attach = ("payment-requests", "attach", id)

    refused = await cli(*ask, "--id", "never", "--attach", str(tmp_path / "page.html"), "--json")
    made = await cli.json(*ask, "--id", id, "--attach", str(tmp_path / "offer.pdf"))
    for _ in range(2):
        await cli.json(*attach, str(tmp_path / "photo.png"), "--name", "<b>Our hall", *WHO)
    path = made["url"].partition("/pay/")[2]
    page = await payer.visit(f"/pay/{path}")
    files = [await payer.visit(f"/pay/{path}/files/{place}") for place in (1, 2, 3)]
    foreign = await payer.visit("/pay/nobody/files/1")
    for number in range(3):
        (tmp_path / "more.pdf").write_bytes(PDF + bytes([number]))
        await cli.json(*attach, str(tmp_path / "more.pdf"), *WHO)
    (tmp_path / "more.pdf").write_bytes(PDF + b"!")
    too_many = await cli(*attach, str(tmp_path / "more.pdf"), *WHO, "--json")

    assert refused.rules == [("file", "attachment_valid")]
    assert await merchant.value("select count(*) from duly.payment_requests") == 1
    assert (await cli.json("payment-requests", "show", id))["files"][:2] == ["offer.pdf", "_b_Our hall.png"]
    assert f'<a href="{path}/files/2">_b_Our hall.png</a>' in page.text
    assert [(one.status_code, one.content) for one in files[:2]] == [(200, PDF), (200, PNG)]
    assert files[0].headers["content-disposition"] == "attachment; filename*=UTF-8''offer.pdf"
    assert (files[0].headers["content-type"], files[0].headers["x-content-type-options"]) == (
        "application/pdf",
        "nosniff",
    )
    assert (files[2].status_code, foreign.status_code) == (404, 404)
    assert too_many.rules[0][1] == "attachments_at_most"


async def test_a_request_and_its_files_are_there_together_or_not_at_all(merchant: Merchant, database: Database) -> None:
    account = await merchant.account(owes_minor=2500)
    request = PaymentRequestInput("whole", "stripe", terms(account))
    files = [RequestFile(f"{number}.pdf", "application/pdf", PDF + bytes([number])) for number in range(6)]
    written = "select (select count(*) from duly.payment_requests), (select count(*) from duly.request_attachments)"

    with pytest.raises(RuleBrokenError, match="has 5 files already"):
        await open_payment_request(database, request, files)
    after_refusal = tuple((await merchant.run(written))[0])
    for _ in range(2):
        await open_payment_request(database, request, files[:2])

    assert (after_refusal, tuple((await merchant.run(written))[0])) == ((0, 0), (1, 2))
