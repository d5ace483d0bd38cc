"""Forms that were not carried out because their session is over: what was typed is not lost."""

from collections.abc import Sequence
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request

from models.listing import heading_of
from web.security import text_of

# What nobody typed, and what is of the session that is over.
_OURS = frozenset({"form_token", "key", "content", "credential", "back", "page_key"})
_STALE = "form_token"


def unsent_page(request: Request, form: FormData) -> dict[str, Any]:
    """Return what a page says of a form of ours that was not carried out, and holds of it to be sent again."""
    return {
        "title": "This form was not sent",
        "is_unsure": False,
        "to": request.url.path,
        "fields": kept_fields(form),
        "typed": [(heading_of(name), value) for name, value in typed_texts(form)],
        "is_multipart": request.headers.get("content-type", "").startswith("multipart/"),
        "has_file": any(not isinstance(value, str) and value.filename for _, value in form.multi_items()),
    }


def unsure_page(request: Request) -> dict[str, Any] | None:
    """Return what a page says of a form of which nobody knows whether it was done, and holds of it; None without a key.

    It keeps the session's token: the session is there when the database is.
    """
    # It was read before: what comes with another method or a broken body has none.
    form = getattr(request, "_form", None)
    if form is None or not text_of(form, "key"):
        return None
    token = [(_STALE, text_of(form, _STALE))]
    page = unsent_page(request, form)
    return {**page, "title": "The database does not answer", "is_unsure": True, "fields": [*token, *page["fields"]]}


def kept_fields(form: FormData) -> Sequence[tuple[str, str]]:
    """Return what of a form is sent again, all but its session's token.

    Its key stays: a form that was carried out before its session ended is not carried out a second time.
    """
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str) and name != _STALE]


def typed_texts(form: FormData) -> Sequence[tuple[str, str]]:
    """Return what somebody typed or chose, by the names of fields."""
    texts = {name: [one.strip() for one in form.getlist(name) if isinstance(one, str)] for name in form}
    return [(name, ", ".join(filter(None, kept))) for name, kept in texts.items() if name not in _OURS and any(kept)]
