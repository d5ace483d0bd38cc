"""Files of the bank: uploaded, shown with what each line would do, and imported once that is wanted."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import structlog
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from activities.console.choices import FormChoices
from activities.database import DatabaseUnavailableError, SendingHeldError
from commands.bank.preview import count_answers, count_statement, preview_answers, preview_statement
from commands.console.limited import AskedAction
from commands.session import served
from models.console.roles import Permission
from models.problem import RefusedError, refusal
from web.actions.action import Action, problems_of
from web.actions.forms import carried_once, require_key
from web.actions.of_bank_files import ANSWERS, DECLINED, STATEMENT
from web.bank.files import files_to_write
from web.bank.previews import of_answers, of_answers_count, of_statement, of_statement_count
from web.bank.uploads import FILE_BYTES_MAX, BankUpload, uploaded
from web.context import Visit, Web
from web.security import text_of

log = structlog.get_logger(__name__)

# An import that takes longer goes on after the answer, which leads to the page that follows it.
_ANSWERED_WITHIN = 10.0
# Of more lines it is known before that others cannot wait so long: some 200 to 500 are tried out in a second.
_TRIED_LINES_MAX = 2000
_KINDS: Mapping[str, Action] = {"statement": STATEMENT, "answers": ANSWERS}


async def show_bank_files(visit: Visit) -> Response:
    """Show the form with which a file is uploaded."""
    return await _upload(visit, "statement", ())


async def preview_bank_file(visit: Visit, form: FormData) -> Response:
    """Show what each line of a file would do. Nothing of it is kept, here or in the books."""
    action = _action_of(form)
    try:
        async with uploaded(form) as file:
            return await _preview(visit, action, file, _chosen(form))
    except RefusedError as refused:
        return await _upload(visit, action.verb, [one.message for one in refused.problems])


async def send_bank_file(visit: Visit, form: FormData) -> Response:
    """Import the file of a preview, once by the form's key. One that takes long goes on after the answer."""
    action, key = _action_of(form), text_of(form, "key")
    require_key(key)
    try:
        async with AsyncExitStack() as lent:
            file = await lent.enter_async_context(uploaded(form))
            return await _send(visit, action, file, form, lent)
    except RefusedError as refused:
        return await _upload(visit, action.verb, [one.message for one in refused.problems])


async def _send(visit: Visit, action: Action, file: BankUpload, form: FormData, lent: AsyncExitStack) -> Response:
    chosen, key, reason = _chosen(form), text_of(form, "key"), text_of(form, "reason")
    known = {one.name: chosen[one.name] for one in action.fields if chosen[one.name]}
    asked = AskedAction(file.name, visit.user.id, reason, key, known)
    if problems := problems_of(action, asked):
        return await _preview(visit, action, file, chosen, reason, [str(one) for one in problems])
    carried = AskedAction(file.name, visit.user.id, reason, key, {**known, "path": str(file.path)})
    importing = asyncio.create_task(carried_once(visit, action, carried))
    done, _ = await asyncio.wait({importing}, timeout=_ANSWERED_WITHIN)
    if not done:
        _go_on(visit.web, importing, lent.pop_all())
    elif refused := importing.result():
        return await _preview(visit, action, file, chosen, reason, refused)
    return RedirectResponse(f"/sent/{key}", 303)


def _go_on(web: Web, importing: asyncio.Task[Sequence[str]], lent: AsyncExitStack) -> None:
    """Let an import go on; its file is lent until it is over, and what became of it is kept under its key."""

    async def finished() -> None:
        async with lent:
            try:
                await importing
            except Exception as error:  # noqa: BLE001  # nobody waits for it, and names are in a statement
                log.warning("bank_file_not_finished", reason=type(error).__name__)

    task = asyncio.create_task(finished())
    web.under_way.add(task)
    task.add_done_callback(web.under_way.discard)


def _action_of(form: FormData) -> Action:
    action = _KINDS.get(text_of(form, "kind"))
    if action is None:
        raise HTTPException(422, "Say what the file is.")
    return action


async def _preview(
    visit: Visit,
    action: Action,
    file: BankUpload,
    chosen: Mapping[str, str],
    reason: str = "",
    problems: Sequence[str] = (),
) -> Response:
    try:
        with served():
            shown = await _shown(visit, action, file.path, chosen)
    except SendingHeldError as held:
        return await _upload(visit, action.verb, [held.message])
    return visit.page(
        "bank/preview.html",
        422 if problems else 200,
        title=f"{action.name}?",
        action=action,
        content=file.content,
        file=file.name,
        chosen=chosen,
        reason=reason,
        key=secrets.token_hex(16),
        problems=problems,
        **shown,
    )


async def _shown(visit: Visit, action: Action, file: Path, chosen: Mapping[str, str]) -> dict[str, Any]:
    """Return what a page shows of a file: what each line would do, or what it has, where that takes too long."""
    if action is STATEMENT:
        statement = await count_statement(file, layout=chosen["layout"])
        lines, counted = statement.lines, of_statement_count(statement)
    else:
        answers = await count_answers(file)
        lines, counted = answers.answers.total(), of_answers_count(answers)
    if lines > _TRIED_LINES_MAX:
        return counted
    # Trying a file out locks what postings need: one at a time.
    if visit.web.previews.locked():
        raise refusal("file", "previews_are_one", "another file is being tried out: try again in a moment")
    try:
        async with visit.web.previews:
            return await _tried(visit, action, file, chosen)
    except DatabaseUnavailableError:
        return counted


def _chosen(form: FormData) -> Mapping[str, str]:
    """Return what is chosen beside the file; "" for what is not."""
    return {name: text_of(form, name) for name in ("rejection", "layout")}


async def _tried(visit: Visit, action: Action, file: Path, chosen: Mapping[str, str]) -> dict[str, Any]:
    if action is STATEMENT:
        return of_statement(await preview_statement(file, actor=visit.user.id, layout=chosen["layout"]))
    rejection = chosen["rejection"] or DECLINED
    return of_answers(await preview_answers(file, actor=visit.user.id, rejection_reason=rejection))


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
        bytes_max=FILE_BYTES_MAX,
        megabytes=FILE_BYTES_MAX // 1024 // 1024,
        tables=await files_to_write(visit),
    )
