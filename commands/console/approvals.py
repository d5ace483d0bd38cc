"""Requests that another person approves: listed, shown, approved and carried out, rejected, withdrawn."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from activities.console.approvals import Approvals
from activities.database import Database
from commands.changing.changes import KeptCommand
from commands.changing.keeping import keeping
from commands.console.limited import AskedAction, CapturedOutput
from commands.console.releases import APPROVABLE, amounting_of
from commands.formatting import document, moment, money
from commands.lists.paging import answer_list, state_word
from commands.output import ExitCode, Failure, Output, table
from commands.runner import translated
from commands.session import database_of, read_settings, reading_database_of
from models.console.approval import ApprovalDecision, ApprovedRequest
from models.listing import ListPage, heading_of
from models.operations.record_states import APPROVAL
from models.problem import Problem, refusal

REASON_MAX = 500
# What its asker then does, up to the amount or word for word: nothing is carried out when it is approved.
TO_GIVE = "approvals/ask"
TO_CHANGE = "approvals/change"


async def list_page(output: Output, page: ListPage, *, state: str, account_id: str, asked_by: str) -> None:
    """List a page of requests, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await Approvals(database).page(page, state=state, account_id=account_id, asked_by=asked_by)
    columns = {
        "Request": lambda row: row.id,
        "For": lambda row: what_of(row.action),
        "Of": lambda row: row.subject,
        "Account": lambda row: row.account_id or "",
        "Amount>": _amount,
        "State": state_word,
        "Asked by": lambda row: row.asked_by,
        "Until": lambda row: moment(row.expires_at),
    }
    await answer_list(output, settings, "approvals", listed, columns)


async def show(output: Output, approval: str) -> None:
    """Show one request."""
    async with reading_database_of(read_settings()) as database:
        found = await Approvals(database).find(approval)
    if found is None:
        raise refusal("approval", "approval_exists", f"there is no request {approval!r}")
    output.answer(document(found), table("", "Request", approval, rows=facts_of(found)))


def what_of(action: str) -> str:
    """Return what is asked for, in words: of a transaction what is done to it, else also what it is done to."""
    if action in {TO_GIVE, TO_CHANGE}:
        return "give away of" if action == TO_GIVE else "change"
    noun, _, verb = action.partition("/")
    return verb.replace("-", " ") if noun == "transactions" else f"{verb} {noun.removesuffix('s').replace('-', ' ')}"


def facts_of(found: Row[Any]) -> list[tuple[str, str]]:
    """Return what is to be said of a request, in words."""
    facts = [
        ("For", _purpose(found)),
        ("Of", found.subject),
        ("Account", found.account_id or ""),
        ("At most", _amount(found)),
        *((heading_of(name), value) for name, value in sorted(found.fields.items()) if value),
        ("State", APPROVAL.word(found.state)),
        ("Asked by", found.asked_by),
        ("Because", found.asked_because),
        ("Asked", moment(found.asked_at)),
        ("Until", moment(found.expires_at)),
        ("Decided by", found.decided_by or ""),
        ("Decided because", found.decided_because),
        ("Decided", moment(found.decided_at)),
        ("Outcome", found.outcome),
        ("Answer", found.answer),
    ]
    return [(name, value) for name, value in facts if value]


async def approve(output: Output, approval: str, *, actor: str, reason: str) -> None:
    """Approve a request as another person, and carry it out once. Raises RefusedError or Failure when it cannot be.

    A request whose outcome nobody knows is carried out again by approving it again: under its key that is once.
    """
    settings = read_settings()
    async with database_of(settings) as database:
        approvals = Approvals(database)
        asked = await approvals.decide(approval, ApprovalDecision.APPROVED, actor=actor, reason=reason)
        outcome, answer = "failed", ["Nobody knows whether it was done: approve it again, it is carried out once."]
        try:
            answer = await _carried_out(database, asked)
            outcome = "done"
        except Failure as failure:
            answer = [str(problem) for problem in failure.problems]
            outcome = "refused" if failure.code is ExitCode.REFUSED else "failed"
            raise
        finally:
            # A change is over when its asker has made it.
            if asked.action != TO_CHANGE:
                await approvals.end(approval, outcome, "\n".join(answer))
    _answer(output, approval, "approved", answer)


async def reject(output: Output, approval: str, *, actor: str, reason: str) -> None:
    """Reject a request as another person: nothing of it is carried out."""
    async with database_of(read_settings()) as database:
        await Approvals(database).decide(approval, ApprovalDecision.REJECTED, actor=actor, reason=reason)
    _answer(output, approval, "rejected", [])


async def withdraw(output: Output, approval: str, *, actor: str, reason: str) -> None:
    """Withdraw a request as who has asked for it."""
    async with database_of(read_settings()) as database:
        await Approvals(database).decide(approval, ApprovalDecision.WITHDRAWN, actor=actor, reason=reason)
    _answer(output, approval, "withdrawn", [])


async def _carried_out(database: Database, asked: ApprovedRequest) -> list[str]:
    if asked.action in {TO_GIVE, TO_CHANGE}:
        what = f"up to {_amount(asked)}" if asked.action == TO_GIVE else "this, once, by the same command"
        return [f"{asked.asked_by} does {what} now, until the request expires."]
    action = APPROVABLE[asked.action]
    given = AskedAction(asked.subject, asked.asked_by, asked.asked_because, asked.key, asked.fields)
    because = f"{asked.asked_because}; {asked.id}, approved by {asked.decided_by}: {asked.decided_because}"
    command = KeptCommand(action.command, asked.subject, asked.asked_by, because[:REASON_MAX])
    output = CapturedOutput()

    async def kept() -> None:
        async with keeping(command, output):
            now = await amounting_of(database, asked.action, given)
            if (now.account_id, now.currency) != (asked.account_id, asked.currency) or (
                asked.amount_minor is None or now.amount_minor > asked.amount_minor
            ):
                shown = money(now.amount_minor, now.currency)
                raise refusal("approval", "approval_is_of_amount", f"it is {shown} by now: ask for it again")
            await action.carry(output, given)

    await translated(kept())
    if output.exit_code is not ExitCode.OK:
        raise Failure(output.exit_code, [Problem("approval", "answered", " ".join(output.lines))])
    return output.lines


def _purpose(found: Row[Any]) -> str:
    by_kind: Mapping[str, str] = {TO_GIVE: f"{found.kind.replace('_', ' ')}s", TO_CHANGE: f"change of {found.kind}"}
    return by_kind.get(found.action) or str(found.action).replace("/", " ")


def _amount(found: Row[Any] | ApprovedRequest) -> str:
    """Return what it comes to at most; nothing of what has no amount."""
    if found.amount_minor is None or found.currency is None:
        return ""
    return money(found.amount_minor, found.currency)


def _answer(output: Output, approval: str, state: str, answer: list[str]) -> None:
    rows = [("State", state), *(("Answer", line) for line in answer)]
    output.answer({"approval": approval, "state": state, "answer": answer}, table("", "Request", approval, rows=rows))
