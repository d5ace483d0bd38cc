"""Files that are written for the bank: what each comes to, who has released it, and what waits for another person."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row
from starlette.responses import Response

from activities.bank.release.bank_files import BankFiles
from models.console.approval import LimitedKind
from models.console.roles import Permission
from models.problem import refusal
from web.actions.forms import links_of
from web.bank.members import members_of
from web.context import Visit
from web.views.cells import Column, Table, address, link, moment, money, state, table_of, text
from web.views.objects import ActionLink, Facts, ObjectPage, show_object

_DRAFTED, _ANSWERED = "drafted", "answered"


async def show_refund_file(visit: Visit) -> Response:
    """Show the file of a month's refunds. Raises RefusedError: nothing of the month waits for one."""
    return await _show(visit, LimitedKind.REFUND_FILE, "refund-files", "refunds of a month")


async def show_debit_file(visit: Visit) -> Response:
    """Show the file of a batch of debits. Raises RefusedError: there is no such batch."""
    return await _show(visit, LimitedKind.DEBIT_FILE, "debit-files", "batch of debits")


async def _show(visit: Visit, kind: LimitedKind, noun: str, name: str) -> Response:
    id, files = visit.request.path_params["id"], BankFiles(visit.web.reading)
    members = await members_of(visit.web.reading, kind, id)
    month = await files.month(id) if kind is LimitedKind.REFUND_FILE else None
    stored = month.state if month else await files.state_of(kind, id) if kind is LimitedKind.DEBIT_FILE else ""
    amounts = await files.amounts(kind, id)
    if not (members.rows or stored):
        raise refusal("file", "file_exists", f"there is no file of {id!r}")
    # People's own months have no state; once the bank has answered all of one, nothing waits for a file any more.
    stands = stored or (_DRAFTED if amounts else _ANSWERED)
    released, requests = await files.released(kind, id), await files.requests(kind, id)
    shown = ObjectPage(
        title=id,
        kind=f"file for the bank, {name}",
        state=state(stands),
        actions=[*links_of(visit, noun, id, stands), *_writing(visit, noun, id, stands, amounts)],
        sentence=_sentence(amounts, released, requests),
        figures=[(f"Comes to, {currency}", money(minor, currency)) for currency, minor in amounts.items()],
        facts=_decision(month),
        tables=(
            members,
            table_of("Released", _RELEASED, released, empty="Not yet; without a limit nobody has to."),
            table_of("Asked of another person", _REQUESTS, requests),
        ),
    )
    return show_object(visit, shown)


def _decision(month: Row[Any] | None) -> Facts:
    """Return who has decided about a month that the schedule has drafted, and why; nothing of any other file."""
    if month is None:
        return ()
    return (
        ("Drafted by the schedule", moment(month.drafted_at)),
        ("Decided by", text(month.actor)),
        ("Because", text(month.reason)),
        ("Decided", moment(month.decided_at)),
    )


def _writing(visit: Visit, noun: str, id: str, stands: str, amounts: Mapping[str, int]) -> Sequence[ActionLink]:
    """Return the link to the form that writes the file; why it may not be written yet stands beside it."""
    if not amounts or not visit.user.may(Permission.CORRECT):
        return ()
    why_not = "not while waiting" if noun == "refund-files" and stands not in {_DRAFTED, "released"} else ""
    return (ActionLink("Write the file", f"{address(noun, id)}/file", why_not),)


def _sentence(amounts: Mapping[str, int], released: Sequence[Row[Any]], requests: Sequence[Row[Any]]) -> str:
    if not amounts:
        return "Nothing of it waits for a file."
    if any(one.state == "waiting" for one in requests):
        return "It waits for another person, who approves it or does not; until then its file is not written."
    most = {one.currency: one.amount_minor for one in released}
    is_released = all(minor <= most.get(currency, 0) for currency, minor in amounts.items())
    return "It is released: its file may be written." if is_released else ""


async def files_to_write(visit: Visit) -> Sequence[Table]:
    """Return tables of what waits for a file, or was written into one and not given to the bank."""
    files = BankFiles(visit.web.reading)
    months, batches = await files.refund_months(), await files.debit_batches()
    return (
        table_of("Refunds that wait for the bank", _columns("refund-files", "Month", "Refunds"), months),
        table_of("Debits that wait for the bank", _columns("debit-files", "Batch", "Debits"), batches),
    )


def _columns(noun: str, head: str, counted: str) -> Sequence[Column]:
    return (
        Column(head, lambda row: link(noun, row.subject)),
        Column("State", lambda row: state(row.state or _DRAFTED)),
        Column(counted, lambda row: text(f"{row.count:,}"), is_number=True),
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
    )


_RELEASED = (
    Column("Up to", lambda row: money(row.amount_minor, row.currency), is_money=True),
    Column("By", lambda row: text(row.released_by)),
    Column("Because", lambda row: text(row.released_because)),
    Column("Released", lambda row: moment(row.released_at)),
    Column("Request", lambda row: link("approvals", row.approval_id)),
)
_REQUESTS = (
    Column("Request", lambda row: link("approvals", row.id)),
    Column("At most", lambda row: money(row.amount_minor, row.currency), is_money=True),
    Column("State", lambda row: state(row.state)),
    Column("Asked by", lambda row: text(row.asked_by)),
    Column("Asked", lambda row: moment(row.asked_at)),
    Column("Decided by", lambda row: text(row.decided_by)),
)
