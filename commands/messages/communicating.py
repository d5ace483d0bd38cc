"""Previewing and sending communications, and who is not written to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Row
from temporalio.common import WorkflowIDConflictPolicy

from activities.configuration.segment_queries import SegmentQueries, days_of_segment
from activities.database import Database
from activities.ledger.account_queries import AccountQueries
from activities.ledger.transaction_queries import TransactionQueries
from activities.messages.communications import CommunicationOrder, Communications, require_order
from activities.messages.rendering import MessageRenderer, Sender
from commands.formatting import document, moment
from commands.lists.paging import answer_all, answer_list
from commands.output import Output, table
from commands.session import database_of, read_settings, reading_database_of, temporal_for_orders
from commands.updates import require_who_and_why
from models.listing import ListPage
from models.messages.communication import About
from models.messages.message import MailingRequest
from models.operations.record_states import MESSAGE
from models.problem import refusal
from models.workflow_ids import WORKFLOW_QUEUE, mailing_id
from settings import Settings
from workflows.messages.mailing import Mailing

_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
Days = tuple[date | None, date | None]


@dataclass(frozen=True)
class AskedCommunication:
    """What is to be communicated by which template; `member` is an account or transaction by its id, or empty.

    `basis` names the template, the segment's criteria and its days, as they were when they were read.
    """

    order: CommunicationOrder
    template: Row[Any]
    basis: str
    member: str = ""


async def preview(
    output: Output,
    template: str,
    numbers: Sequence[str],
    segment: str,
    days: Days,
    *,
    letters: int,
    member: str = "",
) -> None:
    """Show what a communication would do, with the first letters, or those to one member."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        asked = await asked_of(database, template, numbers, segment, days, member=member)
        found = await Communications(database).preview(
            asked.order, asked.template, renderer_of(settings), limit=letters, member=asked.member
        )
    shown = [{"account_id": row.account_id, "transaction_id": row.transaction_id, "text": text}
             for row, text in found.letters]  # fmt: skip
    output.answer(
        {
            "chosen": found.chosen,
            "written": found.written,
            "left_out": found.left_out,
            "letters": shown,
            "basis": asked.basis,
        },
        _counts_table(template, found.chosen, found.written, found.left_out),
        f"Send it as it is shown here: --as-previewed {asked.basis} --at-most {max(found.written, 1)}",
        *(f"\nTo {one['account_id']}:\n{one['text']}" for one in shown),
    )


async def send(
    output: Output,
    id: str,
    template: str,
    numbers: Sequence[str],
    segment: str,
    days: Days,
    *,
    actor: str,
    reason: str,
    at_most: int | None = None,
    as_previewed: str | None = None,
) -> None:
    """Write a communication, once by its id and not more letters than `at_most`, and start what sends it.

    With `as_previewed`, the basis of a preview, only while template, segment and days are still those."""
    require_who_and_why(actor, reason)
    if not _ID.fullmatch(id):
        raise refusal("id", "id_is_plain", "has 1 to 64 small letters, digits, and . _ - behind the first")
    settings = read_settings()
    client = await temporal_for_orders(settings)
    first, last = (day.isoformat() if day else None for day in days)
    words = {"segment": segment, "transactions": sorted(set(numbers)), "from": first, "to": last}
    async with database_of(settings) as database:
        communications = Communications(database)
        # Before anything else: of what was sent the template may be out of use by now, and the segment have other days.
        counts = await communications.known(id, template, words)
        if counts is None:
            asked = await asked_of(database, template, numbers, segment, days)
            counts = await communications.write(
                id, asked.order, words, actor=actor, reason=reason, at_most=at_most, as_previewed=as_previewed
            )
    # Also after a repeat: whoever was cut off between the two finds the letters waiting in the outbox.
    handle = await client.start_workflow(
        Mailing.run,
        MailingRequest(),
        id=mailing_id(f"communication/{id}"),
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"communication {id}, says {actor}",
    )
    again = "" if counts["is_new"] else f"{id} was asked for before: nothing is written again."
    output.answer(
        {**counts, "workflow_id": handle.id},
        _counts_table(id, counts["chosen"], counts["written"], counts["left_out"]),
        *filter(None, (again, f"`messages list --communication {id}` lists the letters.")),
    )


async def list_page(output: Output, page: ListPage, *, segment: str) -> None:
    """List a page of communications, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await Communications(database).page(page, segment_id=segment)
    columns = {
        "Communication": lambda row: row.id,
        "Template": lambda row: row.template_id,
        "About": lambda row: row.asked["segment"] or f"{len(row.asked['transactions'])} transactions",
        "Letters>": lambda row: row.counts["written"],
        "Who": lambda row: row.actor,
        "Why": lambda row: row.reason,
        "When": lambda row: moment(row.created_at),
    }
    await answer_list(output, settings, "communications", listed, columns, states=MESSAGE)


async def stop(output: Output, account: str, kind: str, *, actor: str, reason: str) -> None:
    """Stop mail to an account."""
    require_who_and_why(actor, reason)
    async with database_of(read_settings()) as database:
        is_new = await Communications(database).stop(account, kind, actor=actor, reason=reason)
    what = "is stopped" if is_new else "was stopped already"
    output.answer({"account": account, "kind": kind, "changed": is_new}, f"{account}: mail {what} ({kind}).")


async def allow(output: Output, account: str, kind: str, *, actor: str, reason: str) -> None:
    """Let mail go to an account again."""
    require_who_and_why(actor, reason)
    async with database_of(read_settings()) as database:
        is_new = await Communications(database).allow(account, kind, actor=actor, reason=reason)
    what = "goes out again" if is_new else "was not stopped"
    output.answer({"account": account, "kind": kind, "changed": is_new}, f"{account}: mail {what} ({kind}).")


async def show_stops(output: Output, account: str) -> None:
    """Show why an account is not written to."""
    async with reading_database_of(read_settings()) as database:
        rows = await AccountQueries(database).mail_stops(account)
    shown = table("", "Why", "Who", "Reason", "Since", rows=[(*row[:3], moment(row.since)) for row in rows])
    answer_all(output, "stops", [document(row) for row in rows], shown)


async def asked_of(
    database: Database, template: str, numbers: Sequence[str], segment: str, days: Days, *, member: str = ""
) -> AskedCommunication:
    """Return what is asked for. Raises RefusedError for no such template, segment or transaction, or wrong days."""
    found = await SegmentQueries(database).require(segment) if segment else None
    about = require_order(found, numbers, days)
    over = days_of_segment(found, *days, datetime.now(UTC).date()) if found is not None else None
    basis = await Communications(database).basis(template, segment, over)
    known = await Communications(database).require_template(template, about)
    transactions = [(await _posted(database, number)).id for number in numbers]
    if member and about is About.TRANSACTIONS:
        member = (await _posted(database, member)).id
    return AskedCommunication(CommunicationOrder(template, segment, tuple(transactions), over), known, basis, member)


async def _posted(database: Database, number: str) -> Row[Any]:
    found = await TransactionQueries(database).require(number)
    if found.posted_on is None:
        raise refusal("about", "posted_only", f"{number!r} is not posted: nobody is written to about it")
    return found


def renderer_of(settings: Settings) -> MessageRenderer:
    """Return what writes letters, as the workers do."""
    return MessageRenderer(
        Sender(
            mail_from=settings.mail_from,
            operators_mail=settings.operators_mail,
            public_url=settings.public_url,
            ui_url=settings.temporal_ui_url,
            portal_url=settings.portal_url,
        )
    )


def _counts_table(name: str, chosen: int, written: int, left_out: Mapping[str, int]) -> Any:
    rows = [
        ("Chosen", chosen),
        ("Letters", written),
        *((f"Left out: {why}", left_out[why]) for why in sorted(left_out)),
    ]
    return table("", "Communication", name, rows=rows)
