"""Forms of actions: shown, sent once, carried out by the use case behind the command, and answered in its words."""

import base64
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
from models.card_number import NO_CARD_NUMBER, REFUSED, holds_card_number
from models.operator_command import TEXT_MAX
from models.printable import NOT_PRINTABLE, TEXT_PRINTABLE, is_printable
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
from web.actions.action import Action, Filled
from web.actions.limits import capitalized, limit_sentence, required_limit
from web.context import Visit
from web.merchant_scope import is_action_in_scope
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
        ),
    )
}
# The place of an id in the address of what makes something, and so of nothing that is there.
NEW = "new"
_FIELD_MAX = 4000
_KEY = re.compile(r"[0-9a-f]{32}")
_REQUEST = re.compile(r"apv_[0-9a-f]{32}")


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
    """Show the form of an action, with a key of its own."""
    action, id = _asked_for(visit)
    begun = {one.name: one.value for one in action.fields}
    if action.begin is not None:
        begun |= await action.begin(visit.web.reading, id)
    return await _form(visit, action, id, Filled(begun, key=secrets.token_hex(16)))


async def send_form(visit: Visit, form: FormData) -> Response:
    """Carry an action out, once by its key, and lead to what became of it. What was refused may be corrected."""
    action, id = _asked_for(visit)
    fields = {one.name: text_of(form, one.name) for one in action.fields}
    if action.id_field:
        id = fields[action.id_field]
    asked = AskedAction(id, visit.user.id, text_of(form, "reason"), text_of(form, "key"), fields)
    filled = {**fields, "reason": asked.reason}
    require_key(asked.key)
    if problems := problems_of(action, asked):
        return await _form(visit, action, id, Filled(filled, [str(one) for one in problems], asked.key), 422)
    output = CapturedOutput()
    if refused := await carried_once(visit, action, asked, output):
        return await _form(visit, action, id, Filled(filled, refused, asked.key), 422)
    if output.shown_once:
        return _shown_once(visit, action, output)
    return RedirectResponse(f"/sent/{asked.key}", 303)


def require_key(key: str) -> None:
    """Raise HTTPException unless a form has a key as we make them."""
    if not _KEY.fullmatch(key):
        raise HTTPException(409, "This form has no key of ours: open it again.")


async def carried_once(
    visit: Visit, action: Action, asked: AskedAction, output: CapturedOutput | None = None
) -> Sequence[str]:
    """Carry an action out, unless its form was sent before; return why it was refused, where it was."""
    before = await visit.web.forms.begin(asked.key, user_id=visit.user.id, action=action.path, subject=asked.id)
    if before is not None:
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


async def show_sent(visit: Visit) -> Response:
    """Show what became of a form that this user sent."""
    found = await visit.web.forms.find(visit.request.path_params["key"], visit.user.id)
    if found is None or found.action not in ACTIONS:
        raise HTTPException(404)
    action = ACTIONS[found.action]
    return visit.page(
        "sent.html",
        title=action.name,
        outcome=found.outcome,
        answer=found.answer.splitlines(),
        subject="the page it was sent from" if action.is_of_page else found.subject or f"the list of {action.noun}",
        back=action.place.format(id=address("", found.subject).lstrip("/"))
        or (address(action.noun, found.subject) if found.subject else f"/{action.noun}"),
        sent_at=found.sent_at,
        waits_as=_waits_as(visit, found.answer) if found.outcome == "waiting" else (),
    )


def _shown_once(visit: Visit, action: Action, output: CapturedOutput) -> Response:
    """Answer with what nobody is shown again: it is on this page, and nowhere else."""
    rows = [("voucher", "code"), *output.shown_once]
    written = "".join(f"{name},{value}\n" for name, value in rows)
    return visit.page(
        "vouchers/issued.html",
        title=f"{action.name}: done",
        answer=output.lines,
        rows=output.shown_once,
        file=base64.b64encode(written.encode()).decode(),
    )


def _waits_as(visit: Visit, answer: str) -> Sequence[str]:
    """Return the requests that a form has become: its own, or those that the command's answer names."""
    return sorted(set(_REQUEST.findall(answer))) or [f"apv_{visit.request.path_params['key']}"]


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
    limit = await required_limit(visit, action, found.currency)
    request = LimitedRequest(
        *(asked.key, action.path, LIMITED[action.path].kind, asked.id),
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


def problems_of(action: Action, asked: AskedAction) -> list[Problem]:
    """Return what is wrong before anything is asked: who, why, what is missing, too long, or not to be kept."""
    problems = []
    # The id is kept with the command, as it stands in the address.
    texts = {**asked.fields, "reason": asked.reason, "id": asked.id}
    if not asked.reason:
        problems.append(Problem("reason", "command_says_who_and_why", "say why"))
    problems += [
        Problem(one.name, "field_given", f"{one.label}: must be given")
        for one in action.fields
        if one.is_required and not asked[one.name]
    ]
    for name, text in texts.items():
        most = TEXT_MAX.get(name, _FIELD_MAX)
        if len(text) > most:
            problems.append(Problem(name, "text_length", f"has {len(text)} characters, at most {most}"))
        elif holds_card_number(text):
            problems.append(Problem(name, NO_CARD_NUMBER, REFUSED))
        elif not is_printable(text):
            problems.append(Problem(name, TEXT_PRINTABLE, NOT_PRINTABLE))
    return problems


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
