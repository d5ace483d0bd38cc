"""Documents that people write: read from TOML or JSON, checked whole, with the problem of every field that is wrong."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from activities.document_words import in_words, place_of
from models.card_number import NO_CARD_NUMBER, REFUSED, place_of_card_number
from models.printable import NOT_PRINTABLE, TEXT_PRINTABLE, place_of_unprintable
from models.problem import Problem, RefusedError

if TYPE_CHECKING:
    from lxml import etree

# A shared note is the longest text that anybody writes into a document.
TEXT_MAX = 4000
# A document is read whole; an invoice of ten thousand lines has a tenth of this.
BYTES_MAX = 16 * 1024 * 1024
# As much of an id as an error shows.
ID_SHOWN = 100


class DocumentPart(BaseModel):
    """A table of a document; a name that it does not have is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=TEXT_MAX)


AnyPart = TypeVar("AnyPart", bound=DocumentPart)


def read_document(path: Path, kind: type[AnyPart]) -> AnyPart:
    """Read a document of a kind from a TOML file. Raises RefusedError with every problem that was found."""
    content = read_content(path)
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise RefusedError(document_problems(error, source=path.name, content=content, kind=kind)) from error


def read_content(path: Path) -> dict[str, Any]:
    """Read a TOML file, or JSON by its suffix; fractions come as decimals. Raises RefusedError when it is neither.

    A card number anywhere in it is refused, and a text that steers a terminal, before a word of it is looked at.
    """
    if (size := path.stat().st_size) > BYTES_MAX:
        raise RefusedError([Problem("document", "size", f"has {size} bytes, at most {BYTES_MAX}", path.name)])
    content = _parsed(path)
    if not isinstance(content, dict):
        raise RefusedError([Problem("document", "object", "must be one object", path.name)])
    try:
        place = place_of_card_number(content)
    except ValueError as error:
        # In hexadecimal it was read.
        raise RefusedError([_too_many_digits(path)]) from error
    if place is not None:
        raise RefusedError([Problem(place or "document", NO_CARD_NUMBER, REFUSED, path.name)])
    if (place := place_of_unprintable(content)) is not None:
        raise RefusedError([Problem(place or "document", TEXT_PRINTABLE, NOT_PRINTABLE, path.name)])
    return content


def _parsed(path: Path) -> object:
    is_json = path.suffix.lower() == ".json"
    try:
        text = path.read_text(encoding="utf-8-sig")
        if is_json:
            return json.loads(text, parse_float=Decimal, object_pairs_hook=_once_each)
        return tomllib.loads(text, parse_float=Decimal)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        hint = "" if path.suffix.lower() in (".json", ".toml") else "; a document is TOML, or JSON in a file *.json"
        rule = "json" if is_json else "toml"
        raise RefusedError([Problem("document", rule, f"{error}{hint}", path.name)]) from error
    except RecursionError as error:
        raise RefusedError([Problem("document", "depth", "is nested too deeply", path.name)]) from error
    except UnicodeDecodeError as error:
        raise RefusedError([Problem("document", "utf8", f"is not UTF-8: {error.reason}", path.name)]) from error
    except _TwiceError as error:
        raise RefusedError([Problem(f"{error}", "once", "stands twice in one object", path.name)]) from error
    except ValueError as error:
        raise RefusedError([_too_many_digits(path)]) from error


def _too_many_digits(path: Path) -> Problem:
    return Problem("document", "digits", "has a number of too many digits", path.name)


class _TwiceError(ValueError):
    """A name that one object of JSON has twice: which of both is meant, nobody knows."""


def _once_each(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return content


def document_problems(
    error: ValidationError,
    *,
    source: str = "",
    wrapping: int = 0,
    content: Mapping[str, Any] | None = None,
    kind: type[DocumentPart] | None = None,
) -> list[Problem]:
    """Return what is wrong with a document, field by field, less the `wrapping` outermost names of each place.

    Where the content is known, each problem has the id of the entry that it is in; where the kind is known, a name that
    is no field comes with those that are.
    """
    return [
        Problem(
            place_of(problem, wrapping) or "document",
            problem["type"],
            in_words(problem, kind),
            source,
            id=_entry_id(content or {}, problem["loc"]),
        )
        for problem in error.errors(include_url=False, include_input=False)
    ]


def _entry_id(content: Mapping[str, Any], place: Sequence[int | str]) -> str:
    """Return the id of the list's entry that a place is in; empty where it has none."""
    entries = content.get(str(place[0])) if place else None
    if len(place) < 2 or not isinstance(entries, list) or not isinstance(place[1], int):
        return ""
    entry = entries[place[1]]
    found = entry.get("id") if isinstance(entry, dict) else None
    return found[:ID_SHOWN] if isinstance(found, str) else ""


def foreign_xml(content: bytes) -> "etree._Element":
    """Read XML that somebody else wrote, without entities and files: what is given is all that there is.

    Raises lxml.etree.XMLSyntaxError.
    """
    # Only who reads XML loads what it takes (decision 0250).
    from lxml import etree  # noqa: PLC0415

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(content, parser)
