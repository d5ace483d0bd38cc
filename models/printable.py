"""What may stand in a text that people read: nothing that steers a terminal, or turns what stands behind it about.

A control character moves a terminal's cursor or clears its screen; an override of the direction of writing shows an
amount or a name as another one. Nobody types either. Tabulators and ends of lines are texts' own; a carriage return
is one before a line feed alone. Marks of direction (U+200E, U+200F) stay: Hebrew and Arabic need them. U+FFFE, U+FFFF
and halves of surrogates are no characters: XML, and so an electronic invoice, does not take them.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

TEXT_PRINTABLE = "text_printable"
NOT_PRINTABLE = "has characters that are not to be seen"

_STEERS = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]|\r(?!\n)"
)
# What XML 1.0 does not take (its production Char).
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_printable(text: str) -> bool:
    """Tell whether a text may be kept and shown."""
    return _STEERS.search(text) is None


# Persian and Indian words and families of emoji are joined by the first two, Hebrew and Arabic need the others.
_JOINS = frozenset("\u200c\u200d\u200e\u200f")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def is_seen(character: str) -> bool:
    """Tell whether a character may stand in a line: blanks of every width do, and what is newer than this Python."""
    if character in _JOINS:
        return True
    is_none = ord(character) & 0xFFFE == 0xFFFE or "\ufdd0" <= character <= "\ufdef"
    return unicodedata.category(character) not in _UNSEEN and not is_none


# Letters and symbols to Unicode, and nothing to the eye.
_NOTHING = frozenset({"Cc", "Cf", "Cs"})
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def is_blank(text: str) -> bool:
    """Tell whether nothing of a text is to be seen: blanks, joiners, fillers, and marks that stand on no letter.

    What Unicode has added since this Python was made (`Cn`) is seen.
    """
    return all((kind := unicodedata.category(one))[0] in "MZ" or kind in _NOTHING or one in _FILLERS for one in text)


def is_one_line(text: str) -> bool:
    """Tell whether a text is one line of characters that are to be seen: none at all, or more than blanks."""
    return all(is_seen(one) for one in text) and not (text and is_blank(text))


def xml_text(text: str) -> str:
    """Return a text with U+FFFD for each character that XML does not take: what was kept before it was refused."""
    return _NOT_XML.sub("\ufffd", text)


def place_of_unprintable(content: Any, place: str = "") -> str | None:
    """Return where in a document a text is not printable, "" for the document itself; None if every text is."""
    if isinstance(content, str):
        return None if is_printable(content) else place
    if isinstance(content, Mapping):
        if not all(is_printable(str(name)) for name in content):
            return place
        held = [(str(name), one) for name, one in content.items()]
    elif isinstance(content, list | tuple):
        held = [(str(number), one) for number, one in enumerate(content)]
    else:
        return None
    found = (place_of_unprintable(one, f"{place}.{name}" if place else name) for name, one in held)
    return next((one for one in found if one is not None), None)
