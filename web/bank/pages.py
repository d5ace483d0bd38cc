"""Files of the bank: uploaded, shown with what each line would do, and imported once that is wanted."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from activities.console.choices import FormChoices
from activities.database import DatabaseUnavailableError, SendingHeldError
from commands.bank.preview import AnswersPreview, StatementPreview, preview_answers, preview_statement
from commands.bank.statement_import import where_or_why
from commands.console.limited import AskedAction
from commands.session import served
from models.console.roles import Permission
from models.problem import Problem, RefusedError
from web.actions.action import Action
from web.actions.forms import carried_once, problems_of, require_key
from web.actions.of_bank_files import ANSWERS, DECLINED, STATEMENT, content_of, name_of, stored
from web.bank.files import files_to_write
from web.context import Visit
from web.security import FormBounds, text_of
from web.views.cells import Column, Table, day, link, money, state, table_of, text, words

FILE_BYTES_MAX = 1024 * 1024
# The file comes back with the second form, as base64; beside it are a few short fields.
BANK_FILE = FormBounds(FILE_BYTES_MAX * 3 // 2, files_max=1)
_SHOWN = 500
_KINDS: Mapping[str, Action] = {"statement": STATEMENT, "answers": ANSWERS}
_TOO_LONG = (
    "It takes too long to try it out: others wait for what it locks meanwhile. `duly {command} FILE` imports it, "
    "without a preview."
)


async def show_bank_files(visit: Visit) -> Response:
    """Show the form with which a file is uploaded."""
    return await _upload(visit, "statement", ())


async def preview_bank_file(visit: Visit, form: FormData) -> Response:
    """Show what each line of a file would do. Nothing of it is kept, here or in the books."""
    kind, file = text_of(form, "kind"), form.get("file")
    content = await file.read() if isinstance(file, UploadFile) else b""
    if kind not in _KINDS:
        raise HTTPException(422, "Say what the file is.")
    if not content:
        return await _upload(visit, kind, ["Choose a file: nothing came, or it is empty."])
    if len(content) > FILE_BYTES_MAX:
        return await _upload(visit, kind, ["The file has more than 1 MiB: import it by the command line."])
    return await _preview(visit, _KINDS[kind], base64.b64encode(content).decode(), _chosen(form))


async def send_bank_file(visit: Visit, form: FormData) -> Response:
    """Import the file of a preview, once by the form's key."""
    action = _KINDS.get(text_of(form, "kind"))
    if action is None:
        raise HTTPException(422, "Say what the file is.")
    content, reason, chosen = text_of(form, "content"), text_of(form, "reason"), _chosen(form)
    key = text_of(form, "key")
    require_key(key)
    try:
        subject = name_of(content_of(content))
    except RefusedError as refused:
        return await _upload(visit, action.verb, [one.message for one in refused.problems])
    known = {one.name: chosen[one.name] for one in action.fields if chosen[one.name]}
    asked = AskedAction(subject, visit.user.id, reason, key, known)
    problems: Sequence[object] = problems_of(action, asked)
    if not problems:
        carried = AskedAction(subject, visit.user.id, reason, key, {**known, "content": content})
        problems = await carried_once(visit, action, carried)
    if problems:
        return await _preview(visit, action, content, chosen, reason, [str(one) for one in problems])
    return RedirectResponse(f"/sent/{key}", 303)


async def _preview(
    visit: Visit,
    action: Action,
    content: str,
    chosen: Mapping[str, str],
    reason: str = "",
    problems: Sequence[str] = (),
) -> Response:
    found: StatementPreview | AnswersPreview
    try:
        if visit.web.previews.locked():
            return await _upload(visit, action.verb, ["Another file is being tried out. Try again in a moment."])
        async with visit.web.previews:
            with served(), stored(content) as file:
                found = await _tried(visit, action, file, chosen)
    except RefusedError as refused:
        return await _upload(visit, action.verb, [one.message for one in refused.problems])
    except SendingHeldError as held:
        return await _upload(visit, action.verb, [held.message])
    except DatabaseUnavailableError:
        return await _upload(visit, action.verb, [_TOO_LONG.format(command=action.command)])
    shown = _of_statement(found) if isinstance(found, StatementPreview) else _of_answers(found)
    return visit.page(
        "bank/preview.html",
        422 if problems else 200,
        title=f"{action.name}?",
        action=action,
        content=content,
        file=name_of(content_of(content)),
        chosen=chosen,
        reason=reason,
        key=secrets.token_hex(16),
        problems=problems,
        **shown,
    )


def _chosen(form: FormData) -> Mapping[str, str]:
    """Return what is chosen beside the file; "" for what is not."""
    return {name: text_of(form, name) for name in ("rejection", "layout")}


async def _tried(
    visit: Visit, action: Action, file: Path, chosen: Mapping[str, str]
) -> StatementPreview | AnswersPreview:
    if action is STATEMENT:
        return await preview_statement(file, actor=visit.user.id, layout=chosen["layout"])
    return await preview_answers(file, actor=visit.user.id, rejection_reason=chosen["rejection"] or DECLINED)


def _of_statement(found: StatementPreview) -> dict[str, Any]:
    done = found.done
    columns = (
        Column("Line", lambda one: text(one.entry.line), is_number=True),
        Column("Bank reference", lambda one: text(one.entry.reference)),
        Column("Booked", lambda one: day(one.entry.booked_on)),
        Column("Amount", lambda one: money(one.entry.amount_minor, one.entry.currency), is_money=True),
        Column("Would be", lambda one: state(str(one.outcome))),
        Column("Account", lambda one: text("") if one.outcome == "suspense" else link("accounts", one.account_id)),
        Column("Whose, or why not", lambda one: text(where_or_why(one) if one.reason or one.written_off else "")),
    )
    names = ("credits", "posted", "suspense", "unchanged", "payout", "direct_debit", "refused")
    sums = (
        Column("Currency", lambda one: text(one["currency"])),
        *(_sum(name) for name in names),
    )
    moves = any(done.counts[one] for one in ("posted", "suspense", "payout", "direct_debit"))
    return {
        "counts": [(name.replace("_", " "), number) for name, number in done.summary.items() if number],
        "tables": [
            table_of("What the credits come to", sums, done.totals.as_documents(), empty="No credits."),
            *_refused(done.problems),
            table_of("Lines", columns, found.results[:_SHOWN], empty="No line that could be read."),
        ],
        "left_out": max(len(found.results) - _SHOWN, 0),
        "does_something": moves,
    }


def _sum(name: str) -> Column:
    head = {"credits": "Credits", "unchanged": "Known already"}.get(name, name.replace("_", " ").capitalize())
    return Column(head, lambda one: money(one[f"{name}_minor"], one["currency"]), is_money=True)


def _of_answers(found: AnswersPreview) -> dict[str, Any]:
    columns = (
        Column("Line", lambda one: text(one.answer.line), is_number=True),
        Column("Refund", lambda one: link("transactions", one.transaction_id, one.answer.reference)),
        Column("Account", lambda one: link("accounts", one.account_id)),
        Column("The bank says", lambda one: words(str(one.answer.status))),
        Column("Would be", lambda one: state(str(one.became))),
    )
    counts: dict[str, int] = {}
    for one in found.confirmed:
        counts[str(one.became)] = counts.get(str(one.became), 0) + 1
    known = [*counts.items(), *([("refused", len(found.problems))] if found.problems else [])]
    return {
        "counts": known,
        "tables": [
            *_refused(found.problems),
            table_of("Answers", columns, found.confirmed[:_SHOWN], empty="No answer about a refund of ours."),
        ],
        "left_out": max(len(found.confirmed) - _SHOWN, 0),
        "does_something": any(one in counts for one in ("posted", "rejected")),
    }


def _refused(problems: Sequence[Problem]) -> list[Table]:
    columns = (
        Column("Line", lambda one: text(one.line or ""), is_number=True),
        Column("Id", lambda one: text(one.id)),
        Column("Field", lambda one: text(one.field)),
        Column("What is wrong", lambda one: text(one.message)),
    )
    return [table_of("Refused lines: they are left out", columns, problems[:_SHOWN])] if problems else []


async def _upload(visit: Visit, kind: str, problems: Sequence[str]) -> Response:
    choices = FormChoices(visit.web.reading)
    reasons, layouts, creditors = [await choices.of(what, "") for what in ("reasons:rejection", "layouts", "creditors")]
    return visit.page(
        "bank/files.html",
        422 if problems else 200,
        title="Bank files",
        may=visit.user.may(Permission.CORRECT),
        kind=kind,
        problems=problems,
        reasons=reasons,
        layouts=layouts,
        creditors=creditors,
        declined=DECLINED,
        megabytes=FILE_BYTES_MAX // 1024 // 1024,
        tables=await files_to_write(visit),
    )
