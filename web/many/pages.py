"""Several rows of a list are chosen, previewed, and acted on for one reason."""

import hashlib
import re
import secrets
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from activities.console.choices import Choices, FormChoices
from commands.console.limited import AskedAction
from web.actions.action import Action, Filled, FormField, problems_of
from web.actions.forms import require_key
from web.context import Visit
from web.many.carrying import carry
from web.many.kinds import MANY, ROWS_MAX, ManyOf
from web.security import FIELDS_MAX, FormBounds, text_of
from web.views.cells import Column, Table, link, money, state, table_of, text

CHOSEN = FormBounds(fields_max=FIELDS_MAX + ROWS_MAX)
_KEY = re.compile(r"[0-9a-f]{32}")


async def choose_many(visit: Visit, form: FormData) -> Response:
    """Lead to the preview of what was chosen: a page of its own, to which a browser goes back without sending again."""
    of, action = _asked(visit, form)
    page_key = text_of(form, "page_key")
    kept = [("verb", action.verb), ("page_key", page_key if _KEY.fullmatch(page_key) else secrets.token_hex(16))]
    chosen = [*kept, ("back", text_of(form, "back")), *(("id", id) for id in _ids(form))]
    return RedirectResponse(f"/many/{of.noun}?{urlencode(chosen)}", 303)


async def preview_many(visit: Visit) -> Response:
    """Show what would be done to the rows that were chosen, what it comes to, and what is ruled out and why.

    Its key is made of the list's page, the action and the rows. Whoever goes back to a preview that was sent is led to
    what became of it, and does not do the same again by a new one that looks like the old.
    """
    given: list[tuple[str, str | UploadFile]] = [*visit.request.query_params.multi_items()]
    form = FormData(given)
    of, action = _asked(visit, form)
    key = _key_of(form, action, _ids(form))
    sent = await visit.web.mass_actions.find(key)
    if sent is not None and (sent.user_id, sent.action) == (visit.user.id, action.path):
        return RedirectResponse(f"/many/sent/{key}", 303)
    return await _preview(visit, of, action, form, Filled({one.name: one.value for one in action.fields}, key=key))


async def send_many(visit: Visit, form: FormData) -> Response:
    """Carry it out once by the form's key, and lead to what became of each."""
    of, action = _asked(visit, form)
    key, reason, ids = text_of(form, "key"), text_of(form, "reason"), _ids(form)
    require_key(key)
    fields = {one.name: text_of(form, one.name) for one in action.fields}
    problems = {
        str(problem): None
        for id in ids
        for problem in problems_of(action, AskedAction(id, visit.user.id, reason, key, fields))
    }
    if problems:
        filled = Filled({**fields, "reason": reason}, list(problems), key)
        return await _preview(visit, of, action, form, filled)
    is_new = await visit.web.mass_actions.begin(
        key, user_id=visit.user.id, action=action.path, reason=reason, fields=fields, subjects=ids
    )
    if is_new:
        await carry(visit, key)
    return RedirectResponse(f"/many/sent/{key}", 303)


def _asked(visit: Visit, form: FormData) -> tuple[ManyOf, Action]:
    """Return the list and the action that are asked for. Raises HTTPException: there is none, or it is not allowed."""
    of, verb = MANY.get(visit.request.path_params["noun"]), text_of(form, "verb")
    if of is None:
        raise HTTPException(404)
    if verb not in of.verbs:
        raise HTTPException(422, "Choose what is to be done to the rows.")
    if verb not in {one.verb for one in of.actions(visit.user)}:
        raise HTTPException(403, f"{visit.user.id} is {visit.user.role}, which does not allow this.")
    if not (ids := _ids(form)):
        raise HTTPException(422, "No row is chosen: go back, and choose those that it is to be done to.")
    if len(ids) > ROWS_MAX:
        raise HTTPException(422, f"{len(ids)} rows are chosen, at most {ROWS_MAX} at once.")
    return of, of.action(verb)


def _key_of(form: FormData, action: Action, ids: Sequence[str]) -> str:
    page = text_of(form, "page_key")
    if not _KEY.fullmatch(page):
        return secrets.token_hex(16)
    return hashlib.sha256("/".join([page, action.path, *sorted(ids)]).encode()).hexdigest()[:32]


def _back(of: ManyOf, form: FormData, ids: Sequence[str]) -> str:
    """Return the address of the list as it was, with the rows that were chosen."""
    asked = [(name, value) for name, value in parse_qsl(text_of(form, "back")) if name != "picked"]
    return f"/{of.noun}?{urlencode([*asked, *(('picked', id) for id in ids)])}"


def _ids(form: FormData) -> Sequence[str]:
    """Return the ids of the rows that were chosen, each once."""
    given = (one.strip() for one in form.getlist("id") if isinstance(one, str))
    return list(dict.fromkeys(filter(None, given)))


async def _preview(visit: Visit, of: ManyOf, action: Action, form: FormData, filled: Filled) -> Response:
    ids = _ids(form)
    rows = {of.id_of(row): row for row in await of.read(visit.web.reading, ids)}
    why_not = {id: _why_not(of, action, rows.get(id)) for id in ids}
    acted = [rows[id] for id in ids if not why_not[id]]
    totals = defaultdict[str, int](int)
    for minor, currency in filter(None, map(of.amount_of, acted)):
        totals[currency] += minor
    return visit.page(
        "many/preview.html",
        422 if filled.problems else 200,
        title=f"{action.name}: {len(acted)} chosen",
        action=action,
        noun=of.noun,
        ids=[of.id_of(row) for row in acted],
        key=filled.key,
        filled=filled,
        choices={one.name: await _choices(visit, one) for one in action.fields},
        back=_back(of, form, ids),
        query=text_of(form, "back"),
        count=len(acted),
        totals=[(f"Total, {currency}", money(minor, currency)) for currency, minor in sorted(totals.items())],
        tables=_tables(of, acted, [(id, rows.get(id), why) for id, why in why_not.items() if why]),
    )


async def _choices(visit: Visit, one: FormField) -> Choices:
    return [*one.words, *(await FormChoices(visit.web.reading).of(one.choices, "") if one.choices else ())]


def _why_not(of: ManyOf, action: Action, row: Any) -> str:
    """Return why an action is ruled out by what a row is now; "" where it is not. The use case has the last word."""
    if row is None:
        return "it is not there any more"
    word = of.state_of(row)
    return "" if not action.states or word in action.states else f"not while {word.replace('_', ' ')}"


def _tables(of: ManyOf, acted: Sequence[Any], ruled_out: Sequence[tuple[str, Any, str]]) -> Sequence[Table]:
    ours = (
        Column("Object", lambda row: link(of.noun, of.id_of(row))),
        Column("Account", lambda row: link("accounts", getattr(row, "account_id", None))),
        Column("State", lambda row: state(of.state_of(row))),
        Column("Amount", lambda row: money(*(of.amount_of(row) or (None, None))), is_money=True),
    )
    others = (
        Column("Object", lambda row: link(of.noun, row[0])),
        Column("Why not", lambda row: text(row[2])),
        Column("Amount", lambda row: money(*((of.amount_of(row[1]) if row[1] else None) or (None, None)))),
    )
    shown = [table_of("What it is done to", ours, acted, empty="It can be done to none of them.")]
    return [*shown, table_of("Left out", others, ruled_out)] if ruled_out else shown
