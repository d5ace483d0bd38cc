"""Forms of actions: shown, sent once, carried out by the use case behind the command, and answered in its words."""

import asyncio
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain

import structlog
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from activities.console.approvals import LimitedRequest
from activities.console.choices import Choices, FormChoices
from activities.ledger.transaction_queries import TransactionQueries
from commands.changing.changes import KeptCommand
from commands.changing.keeping import keeping
from commands.console.limited import LIMITED, AskedAction, CapturedOutput, amounting
from commands.formatting import money
from commands.output import ExitCode, Failure
from commands.runner import translated
from commands.session import served
from models.problem import Problem, RefusedError
from web.actions import (
    of_account_fields,
    of_accounts,
    of_approvals,
    of_bank_files,
    of_messages,
    of_processes,
    of_refund_runs,
    of_transactions,
    of_vouchers,
)
from web.actions.action import Action, Filled, problems_of
from web.actions.limits import capitalized, limit_sentence, required_limit
from web.actions.processes import of_discrepancies
from web.actions.sent import shown_once
from web.context import Visit
from web.merchant_scope import is_action_in_scope
from web.merchants import actions as of_merchants
from web.merchants import provider_actions as of_providers
from web.security import text_of
from web.views.cells import address
from web.views.objects import ActionLink

log = structlog.get_logger(__name__)

ACTIONS: Mapping[str, Action] = {
    action.path: action
    for action in chain(
        *(of_accounts.ACTIONS, of_account_fields.ACTIONS, of_transactions.ACTIONS, of_processes.ACTIONS),
        *(
            of_approvals.ACTIONS,
            of_bank_files.ACTIONS,
            of_vouchers.ACTIONS,
            of_messages.ACTIONS,
            of_refund_runs.ACTIONS,
            of_merchants.ACTIONS,
            of_providers.ACTIONS,
            of_discrepancies.ACTIONS,
        ),
    )
}
# The place of an id in the address of what makes something, and so of nothing that is there.
NEW = "new"
_STALE = "This form was opened in another session, and nothing was done by it. Look at it once more, and send it."
# A form that is under way already is waited for so long, before its sender is led to the page that follows it.
_CHECKS, _CHECK_SECONDS = 20, 0.25
_KEY = re.compile(r"[0-9a-f]{32}")


def links_to(visit: Visit, actions: Sequence[Action], id: str, state: str) -> list[ActionLink]:
    """Return the links to what this user may do here; what the object's state rules out says so."""
    return [
        ActionLink(
            action.name,
            f"/do/{action.path}/{address('', id).lstrip('/')}",
            "" if not action.states or state in action.states else f"not while {state.replace('_', ' ')}",
        )
        for action in actions
        if visit.user.may(action.permission) and is_action_in_scope(visit.user, action.path)
    ]


def links_of(visit: Visit, noun: str, id: str, state: str) -> list[ActionLink]:
    """Return the links to every action of a noun."""
    its = [one for one in ACTIONS.values() if one.noun == noun and not (one.is_of_list or one.place)]
    return links_to(visit, its, id, state)


def links_of_list(visit: Visit, noun: str) -> list[ActionLink]:
    """Return the links to what stands beside the list of a noun."""
    return links_to(visit, [one for one in ACTIONS.values() if one.noun == noun and one.is_of_list], NEW, "")


async def show_form(visit: Visit) -> Response:
    """Show the form of an action, with a key of its own, which stands in its address.

    Whoever goes back to a form that was sent is led to what became of it: as a browser fills it in again, it would
    otherwise be a new one that looks like the old.
    """
    action, id = _asked_for(visit)
    key = visit.request.query_params.get("form", "")
    if not _KEY.fullmatch(key):
        return RedirectResponse(f"{visit.request.url.path}?form={secrets.token_hex(16)}", 303)
    if await visit.web.forms.find(key, visit.user.id):
        return RedirectResponse(f"/sent/{key}", 303)
    begun = {one.name: one.value for one in action.fields}
    if action.begin is not None:
        begun |= await action.begin(visit.web.reading, id)
    return await _form(visit, action, id, Filled(begun, key=key))


async def send_form(visit: Visit, form: FormData) -> Response:
    """Carry an action out, once by its key, and lead to what became of it. What was refused may be corrected."""
    action, asked = _sent(visit, form)
    require_key(asked.key)
    if problems := problems_of(action, asked):
        return await _refused(visit, action, asked, [str(one) for one in problems])
    output = CapturedOutput()
    if refused := await carried_once(visit, action, asked, output):
        return await _refused(visit, action, asked, refused)
    if output.shown_once:
        return shown_once(visit, action, output)
    return RedirectResponse(f"/sent/{asked.key}", 303)


async def form_again(visit: Visit, form: FormData) -> Response:
    """Show a form as it was filled in, in a session that was over when it was sent: nothing was done by it."""
    action, asked = _sent(visit, form)
    require_key(asked.key)
    return await _refused(visit, action, asked, [_STALE], 403)


def _sent(visit: Visit, form: FormData) -> tuple[Action, AskedAction]:
    action, id = _asked_for(visit)
    fields = {one.name: text_of(form, one.name) for one in action.fields}
    if action.id_field:
        id = fields[action.id_field]
    return action, AskedAction(id, visit.user.id, text_of(form, "reason"), text_of(form, "key"), fields)


async def _refused(
    visit: Visit, action: Action, asked: AskedAction, problems: Sequence[str], status: int = 422
) -> Response:
    filled = Filled({**asked.fields, "reason": asked.reason}, problems, asked.key)
    return await _form(visit, action, asked.id, filled, status)


def require_key(key: str) -> None:
    """Raise HTTPException unless a form has a key as we make them."""
    if not _KEY.fullmatch(key):
        raise HTTPException(409, "This form has no key of ours: open it again.")


async def carried_once(
    visit: Visit, action: Action, asked: AskedAction, output: CapturedOutput | None = None
) -> Sequence[str]:
    """Carry an action out, unless its form was sent before; return why it was refused, where it was."""
    while before := await visit.web.forms.begin(asked.key, user_id=visit.user.id, action=action.path, subject=asked.id):
        # Of two at the same moment the second is answered as the first: a refusal is not kept, and so is met again.
        if before.outcome != "begun" or not await _is_refused(visit, asked.key):
            return ()
    outcome, answer = "failed", ["Nobody knows whether it was done: look at the object before it is asked for again."]
    refused: list[str] = []
    try:
        outcome, answer = await _answered(visit, action, asked, output or CapturedOutput())
    except Failure as failure:
        answer = [str(problem) for problem in failure.problems]
        if failure.code is ExitCode.REFUSED:
            outcome, refused = "refused", answer
        else:
            answer.append("Look at the object before it is asked for again: it may have been done.")
    finally:
        await visit.web.forms.end(asked.key, outcome, "\n".join(answer))
    return refused


async def _is_refused(visit: Visit, key: str) -> bool:
    """Wait a little for what became of a form that is under way; return whether it was refused."""
    for _ in range(_CHECKS):
        found = await visit.web.forms.find(key, visit.user.id)
        if found is None or found.outcome != "begun":
            return found is None
        await asyncio.sleep(_CHECK_SECONDS)
    return False


async def _answered(visit: Visit, action: Action, asked: AskedAction, output: CapturedOutput) -> tuple[str, list[str]]:
    """Carry an action out and return its outcome and answer; above the limits of its asker it waits for another."""
    waits = ""
    command = KeptCommand(action.command, asked.id, asked.actor, asked.reason)

    async def kept() -> None:
        async with keeping(command, output):
            await action.carry(output, asked)

    async def requested() -> None:
        nonlocal command, waits
        if waits := await _waits(visit, action, asked):
            command = KeptCommand("approvals ask", f"{command.name} {asked.id}", asked.actor, asked.reason)
            async with keeping(command, output):
                output.note(f"{capitalized(waits)}: another person decides about it.")

    with served():
        if action.path in LIMITED:
            await translated(requested())
        if not waits:
            await translated(kept())
    if output.exit_code is not ExitCode.OK:
        raise Failure(output.exit_code, [Problem(action.noun, "answered", " ".join(output.lines))])
    return "waiting" if waits or output.waits else "done", output.lines


async def _waits(visit: Visit, action: Action, asked: AskedAction) -> str:
    """Return the limit that an action is above; "" where it is within, or there is none."""
    found = await amounting(visit.web.reading, action.path, asked)
    kind = await LIMITED[action.path].kind_of(visit.web.reading, asked.id)
    if kind is None:
        return ""
    limit = await required_limit(visit, action, kind, found.currency)
    request = LimitedRequest(
        *(asked.key, action.path, kind, asked.id),
        *(found.account_id or "", found.amount_minor, found.currency),
        asked.fields,
    )
    return str(limit) if await visit.web.approvals.ask(request, user_id=asked.actor, reason=asked.reason) else ""


def _asked_for(visit: Visit) -> tuple[Action, str]:
    """Return the action and the object of an address. Raises HTTPException: there is none, or it is not allowed."""
    path = visit.request.path_params
    action = ACTIONS.get(f"{path['noun']}/{path['verb']}")
    if action is None or action.place:
        raise HTTPException(404)
    if not visit.user.may(action.permission):
        raise HTTPException(403, f"{visit.user.id} is {visit.user.role}, which does not allow this.")
    return action, "" if action.is_of_list else path["id"]


async def _about(visit: Visit, action: Action, id: str) -> str:
    """Return in a line what a form is about, where its id does not say it."""
    if action.noun != "transactions":
        return ""
    with suppress(RefusedError):
        found = await TransactionQueries(visit.web.reading).require(id)
        unsettled = (
            "" if found.unsettled_minor is None else f", unsettled {money(found.unsettled_minor, found.currency)}"
        )
        name = found.number or found.reference_number
        return f"{name} of {found.account_id}: {money(found.total_minor, found.currency)}{unsettled}"
    return ""


async def _form(visit: Visit, action: Action, id: str, filled: Filled, status: int = 200) -> Response:
    account = id.rpartition("/")[0] if action.noun == "collections" else id
    choices: dict[str, Choices] = {}
    for one in action.fields:
        if one.kind == "select":
            read = await FormChoices(visit.web.reading).of(one.choices, account) if one.choices else ()
            choices[one.name] = [*one.words, *read]
            kept = filled.given(one.name)
            # What is out of use by now stays what it is, unless somebody chooses another.
            if kept and kept not in {value for value, _ in choices[one.name]}:
                choices[one.name] = [*choices[one.name], (kept, kept)]
    return visit.page(
        "action.html",
        status,
        title=action.name if action.is_of_list else f"{action.name}: {id}",
        action=action,
        id=id,
        shown_id="" if action.is_of_list else id,
        target=NEW if action.is_of_list else id,
        about=await _about(visit, action, id),
        limit=await limit_sentence(visit, action, id),
        filled=filled,
        choices=choices,
        back=f"/{action.noun}" if action.is_of_list else address(action.noun, id),
    )
