"""A customer's own details: name, language, time zone and postal address. The address of e-mail is whoever invoices'.

Whoever could change where the link to sign in is sent could take an account over from a session alone.
"""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from activities.messages.rendering import LANGUAGES
from commands.imports.account_editing import edit
from commands.output import Failure, Output
from commands.printouts.addresses import set_one
from models.card_number import holds_card_number
from models.printable import is_one_line
from models.printouts.address import PostalAddress
from models.problem import RefusedError
from settings import time_zones
from web.portal.acting import ACTOR, WHY, carried_out, is_unknown, unknown
from web.portal.context import PortalVisit
from web.portal.limits import CHANGES
from web.security import text_of

ADDRESS = ("name", "street", "addition", "postal_code", "city", "country", "vat_id", "reference")
_OF_ACCOUNT = ("owner_name", "locale", "time_zone")
_NAME_MAX = 200
# What a browser fills in by itself (WCAG 1.3.5).
_AUTOCOMPLETE = {
    "name": "organization",
    "street": "address-line1",
    "addition": "address-line2",
    "postal_code": "postal-code",
    "city": "address-level2",
}


async def show_details(visit: PortalVisit) -> Response:
    """Show the details in their forms."""
    return await _page(visit, {}, ())


async def edit_account(visit: PortalVisit, form: FormData) -> Response:
    """Change name, language or time zone, as `accounts edit` does."""
    visit.require(CHANGES, "changes")
    given = {name: text_of(form, name) for name in _OF_ACCOUNT}
    customer = visit.customer
    now = {"owner_name": customer.name, "locale": customer.locale, "time_zone": customer.time_zone}
    if given["locale"] == visit.reader.language:
        # The form has languages alone: a customer of de_AT who changes a name stays one.
        given["locale"] = customer.locale
    if wrong := _wrong(given):
        return await _page(visit, given, wrong)
    changed = {name: value for name, value in given.items() if value != now[name]}

    async def edited(output: Output) -> None:
        await edit(output, customer.account_id, changed, frozenset(), actor=ACTOR, reason=WHY)

    return await _kept(visit, given, "accounts edit", edited) if changed else RedirectResponse("/details?done=yes", 303)


async def edit_address(visit: PortalVisit, form: FormData) -> Response:
    """Set the postal address to which documents are made out from now on."""
    visit.require(CHANGES, "changes")
    given = {name: text_of(form, name) for name in ADDRESS}
    given |= {name: given[name].upper() for name in ("country", "vat_id")}
    wrong = [name for name, value in given.items() if holds_card_number(value)]
    try:
        address = PostalAddress(**given)
    except RefusedError as error:
        wrong += [problem.field for problem in error.problems]
    if wrong:
        return await _page(visit, given, wrong)

    async def set_it(output: Output) -> None:
        await set_one(output, visit.customer.account_id, address, actor=ACTOR, reason=WHY)

    return await _kept(visit, given, "accounts address", set_it)


async def _kept(visit: PortalVisit, given: Mapping[str, str], command: str, work: Any) -> Response:
    try:
        await carried_out(command, visit.customer.account_id, work)
    except Failure as failure:
        if is_unknown(failure):
            return await unknown(visit, show_details)
        if wrong := [problem.field for problem in failure.problems if problem.field in given]:
            return await _page(visit, given, wrong)
        # No field is wrong: the account is over, say, and nothing of it is changed any more.
        return visit.message("not_done", 409)
    return RedirectResponse("/details?done=yes", 303)


def _wrong(given: Mapping[str, str]) -> list[str]:
    name = given["owner_name"]
    is_name = 0 < len(name) <= _NAME_MAX and is_one_line(name) and not holds_card_number(name)
    return [
        *(() if is_name else ("owner_name",)),
        *(() if given["locale"].partition("_")[0].partition("-")[0] in LANGUAGES else ("locale",)),
        *(() if given["time_zone"] in time_zones() else ("time_zone",)),
    ]


async def _page(visit: PortalVisit, given: Mapping[str, str], wrong: Any) -> Response:
    kept, customer = await visit.queries.address(), visit.customer
    values = {name: (getattr(kept, name) if kept else "") for name in ADDRESS}
    values |= {"owner_name": customer.name, "locale": visit.reader.language, "time_zone": customer.time_zone}
    return visit.page(
        "details.html",
        422 if wrong else 200,
        values=values | dict(given),
        wrong=list(dict.fromkeys(wrong)),
        languages=LANGUAGES,
        zones=sorted(time_zones()),
        address_fields=ADDRESS,
        autocomplete=_AUTOCOMPLETE,
        countries=visit.reader.countries(),
        is_out_of_mail=await visit.queries.is_out_of_mail(),
    )
