"""The page on which somebody keeps what a list shows as a view, and renames or deletes views of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from activities.console.saved_views import NAME_MAX
from activities.database import RuleBrokenError
from models.console.roles import Permission
from models.problem import RefusedError
from web.context import Visit
from web.merchant_scope import is_list_in_scope
from web.saved.shown import DAYS, address_of
from web.security import text_of
from web.views.listing import ListOfNoun, wanted_of
from web.views.record_lists import LISTS


@dataclass(frozen=True)
class _Refused:
    """What was sent and refused: it stays in its form."""

    problems: Sequence[str] = ()
    do: str = ""
    id: str = ""
    name: str = ""
    is_shared: bool = False

    def is_of(self, do: str, id: str) -> bool:
        return (self.do, self.id) == (do, id)


_NOT_REFUSED = _Refused()


async def show_views(visit: Visit) -> Response:
    """Show the views of a list, and the form that keeps what its address asks for."""
    return await _page(visit, _list_of(visit))


async def change_views(visit: Visit, form: FormData) -> Response:
    """Save, rename or delete a view. Sent twice it is as sent once: a name is taken by one, and gone is gone."""
    of, views = _list_of(visit), visit.web.views
    do, id, name = (text_of(form, one) for one in ("do", "id", "name"))
    is_shared = text_of(form, "shared") == "yes"
    filters = _filters(of, visit)
    try:
        if do == "save":
            await views.save(visit.user, of.noun, name, filters, is_shared=is_shared)
            return RedirectResponse(address_of(of.noun, filters), 303)
        if do == "rename":
            await views.rename(visit.user, id, name)
        elif do == "delete":
            await views.delete(visit.user, id)
        else:
            raise HTTPException(422, "Say what is to be done with the view.")
    except RefusedError as refused:
        return await _page(visit, of, _Refused([str(one) for one in refused.problems], do, id, name, is_shared))
    except RuleBrokenError as broken:
        return await _page(visit, of, _Refused([broken.message], do, id, name, is_shared))
    return RedirectResponse(address_of(f"views/{of.noun}", filters), 303)


def _list_of(visit: Visit) -> ListOfNoun:
    of = LISTS.get(visit.request.path_params["noun"])
    if of is None or not (of.noun == "accounts" or is_list_in_scope(visit.user, of.noun)):
        raise HTTPException(404)
    if not visit.user.may(of.permission):
        raise HTTPException(403, f"{visit.user.id} is {visit.user.role}, which does not allow this.")
    return of


def _filters(of: ListOfNoun, visit: Visit) -> Mapping[str, str]:
    """Return the filters of an address. Raises HTTPException: one of them is none."""
    wanted = wanted_of(of, visit)
    if wanted.problems:
        raise HTTPException(422, "; ".join(wanted.problems))
    return {name: value for name, value in wanted.given.items() if value}


async def _page(visit: Visit, of: ListOfNoun, refused: _Refused = _NOT_REFUSED) -> Response:
    filters, may_share = _filters(of, visit), visit.user.may(Permission.SHARE_VIEWS)
    labels = {**{one.name: one.label for one in of.filters}, **dict(zip(DAYS, ("From", "To"), strict=True))}
    return visit.page(
        "saved/views.html",
        422 if refused.problems else 200,
        title=f"Views of {of.title.lower()}",
        list_title=of.title,
        keeps=_words(filters, labels),
        to=address_of(f"views/{of.noun}", filters),
        back=address_of(of.noun, filters),
        views=[
            {
                "id": one.id,
                "name": one.name,
                "typed": refused.name if refused.is_of("rename", one.id) else one.name,
                "is_wrong": refused.is_of("rename", one.id),
                "href": address_of(of.noun, one.filters),
                "keeps": _words(one.filters, labels),
                "whose": f"shared by {one.saved_by}" if one.is_shared else "yours",
                "may": may_share or not one.is_shared,
            }
            for one in await visit.web.views.of(visit.user, of.noun)
        ],
        name=refused.name if refused.do == "save" else "",
        is_shared=refused.is_shared,
        is_wrong=refused.do == "save",
        may_share=may_share,
        name_max=NAME_MAX,
        problems=refused.problems,
    )


def _words(filters: Mapping[str, str], labels: Mapping[str, str]) -> str:
    return ", ".join(f"{labels[name]}: {value.replace('_', ' ')}" for name, value in filters.items() if name in labels)
