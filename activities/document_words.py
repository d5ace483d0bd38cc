"""What is wrong with a field of a document, in the words of whoever writes documents; pydantic's are a programmer's."""

import re
from collections.abc import Mapping, Sequence, Set
from types import MappingProxyType
from typing import Any, get_args

from pydantic import BaseModel

# What a value must be that has to match a pattern.
PATTERNS = MappingProxyType(
    {
        r"^[!-~]{1,64}$": "1 to 64 letters, digits and signs of ASCII, without blanks",
        r"^[a-z][a-z0-9_-]{0,31}$": "a small letter, then up to 31 small letters, digits, - or _",
        r"^[a-z][a-z0-9_]{0,63}$": "a small letter, then up to 63 small letters, digits or _",
        r"^[a-z][a-z0-9_]{0,31}$": "a small letter, then up to 31 small letters, digits or _",
        r"^[a-z0-9][a-z0-9_-]{0,63}$": "a small letter or digit, then up to 63 small letters, digits, - or _",
        r"^[A-Z]{1,8}$": "1 to 8 capital letters, such as INV",
        r"^[A-Z]{2}$": "two capital letters by ISO 3166, such as DE",
        r"^([A-Z]{2}[A-Z0-9+*]{2,13})?$": "a VAT id with its country, without blanks, such as DE123456789",
        r"^([^@\s]+@[^@\s]+)?$": "an e-mail address",
        r"^#[0-9a-f]{6}$": "a colour such as #1f3a5f, in small letters",
        r"^(#[0-9a-f]{6})?$": "a colour such as #1f3a5f, in small letters, or empty",
        r"^(https://\S+)?$": "an address that begins with https:// and has no blanks, or empty",
        r"^[a-z]{2,3}$": "a language of two or three small letters by ISO 639, such as de",
        r"^[^\r\n\t]+$": "one line, without tabs",
        r"^[0-9A-Za-z ./-]*$": "letters, digits, blanks, dots, slashes and hyphens",
        r"^(\*|[a-z][a-z0-9_]{0,31})$": "a brand in small letters, such as visa, or *",
        r"^([01][0-9]|2[0-3]):[0-5][0-9]$": "a time of day such as 12:00",
        r"^[0-9]{1,7}([.][0-9]{1,2})?$": "an amount such as 50.00",
        r"^[0-9]{1,16}(\.[0-9]{1,4})?$": "an amount such as 12.50",
        r"^[0-9]{1,16}(\.[0-9]{1,4})?%?$": "an amount such as 5.00, or a share such as 20%",
        r"^(revenue|reward_expense|write_off)(:[!-~]+)?$": "revenue, reward_expense or write_off, or one with a name"
        " behind it, such as revenue:plan",
        r"^((revenue|reward_expense|write_off)(:[!-~]+)?|wallet_clearing|voucher_clearing|wallet_top_ups)$": "revenue,"
        " reward_expense, write_off, or one with a name behind it, such as revenue:plan; or wallet_clearing,"
        " voucher_clearing or wallet_top_ups",
        r"^((bank|cash|other_methods)(:[!-~]+)?|(wallet|voucher)_clearing)$": "bank, cash or other_methods, or one with"
        " a name behind it, such as bank:savings; or wallet_clearing or voucher_clearing",
    }
)
# What a value must be, by how the names of pydantic's problems begin. A number that is none of what it may be has words
# already, such as "must be less than or equal to 23".
TYPES: Mapping[str, str] = MappingProxyType(
    {
        "bool_": "true or false",
        "int_": "a whole number, without quotes",
        "float_": "a number such as 12.5",
        "decimal_type": "a number such as 12.5",
        "decimal_parsing": "a number such as 12.5",
        "finite_number": "a number such as 12.5",
        "string_type": "a text, in quotes",
        "string_unicode": "a text in UTF-8",
        "dict_": "a table",
        "mapping_": "a table",
        "model_": "a table",
        "dataclass_": "a table",
        "is_instance_of": "a table",
        "list_": "a list",
        "tuple_": "a list",
        "set_": "a list",
        "frozen_set_": "a list",
        "time_delta_": 'a time such as "3 days" or "PT6H", at most 999999999 days',
        "datetime_": "a day with a time and its zone, such as 2026-11-26T18:30:00Z",
        "timezone_": "a day with a time and its zone, such as 2026-11-26T18:30:00Z",
        "date_": "a day such as 2026-11-26",
        "time_": "a time such as 18:30:00",
    }
)
# How pydantic begins what it says of a value.
_KIND = re.compile(r"[a-z-]+\[.+\]$")
_KINDS = frozenset({"str", "constrained-str", "date", "datetime", "[key]"})
_SHOULD = re.compile(r"^[A-Z][A-Za-z]*( input)? should ")


def in_words(problem: "Mapping[str, Any]", kind: type[BaseModel] | None = None) -> str:
    """Return what is wrong with a field; a name that is none comes with those that are, where the kind is known."""
    type_, limits = problem["type"], problem.get("ctx", {})
    if type_ == "missing":
        return "is required"
    if type_ == "extra_forbidden":
        known = sorted(_fields_at(kind, problem["loc"][:-1]))
        return "is no field here" + (f"; it may have {', '.join(known)}" if known else "")
    if type_ in ("too_short", "too_long"):
        bound, of = ("at least", "min_length") if type_ == "too_short" else ("at most", "max_length")
        return f"must have {bound} {limits[of]} {'entry' if limits[of] == 1 else 'entries'}"
    words = PATTERNS.get(str(limits.get("pattern")))
    words = words or next((words for beginning, words in TYPES.items() if type_.startswith(beginning)), None)
    return f"must be {words}" if words else _SHOULD.sub("must ", problem["msg"].removeprefix("Value error, "))


def place_of(problem: "Mapping[str, Any]", wrapping: int = 0) -> str:
    """Return where a problem is, less the `wrapping` outermost names; empty for the whole document.

    Where a field may be one of several kinds, pydantic puts a name of the kind between: nobody wrote that.
    """
    names = [str(name) for name in problem["loc"][wrapping:]]
    return ".".join(name for name in names if name not in _KINDS and not _KIND.match(name))


def _fields_at(kind: object, place: Sequence[int | str]) -> Set[str]:
    """Return the fields of the table at a place of a document; none where that cannot be told."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if not place:
            return kind.model_fields.keys()
        field = kind.model_fields.get(str(place[0]))
        return _fields_at(field.annotation, place[1:]) if field else set()
    inner = place[1:] if place and isinstance(place[0], int) else place
    return next((found for part in get_args(kind) if (found := _fields_at(part, inner))), set())
