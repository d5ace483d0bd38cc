"""Card numbers are never ours to keep: whether a text holds one, and the text without it (X5, docs/security.md).

Every window of 13 to 19 digits that passes the Luhn check and begins as a network's numbers do counts, whatever stands
between its digits, as itself or encoded for the web, and in whatever script they are written; letters end a number, but
not those that are none to the eye: fillers, and marks that are typed as dashes. What has a shape of its own is none:
an IBAN, a creditor or QR reference with its check digits, a UUID or hash, a telephone number with its plus, the day at
the head of a bank's reference. So is a security code that a text names as one.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

NO_CARD_NUMBER = "no_card_number"
REFUSED = "seems to hold a card number or its security code, which is never stored"
REMOVED = "(number removed)"

_LENGTHS = range(13, 20)
# Words behind a number that belong to it (expiry, code), and digits of all of these; of a longer word the ends count.
_BESIDE_MOST, _WORD_MOST = 3, 26

# How numbers of each network begin, and how long they are; the last are those that are issued today, which alone are
# looked for inside of longer words.
_NETWORKS: Sequence[tuple[re.Pattern[str], frozenset[int], frozenset[int]]] = tuple(
    (re.compile(prefix), frozenset(lengths), frozenset(issued))
    for prefix, lengths, issued in (
        ("4", (13, 16, 19), (16,)),  # Visa
        (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,), (16,)),  # Mastercard
        ("3[47]", (15,), (15,)),  # American Express
        (r"6011|64[4-9]|65", range(16, 20), (16,)),  # Discover
        (r"30[0-5]|3095|36|3[89]", range(14, 20), (14,)),  # Diners Club
        (r"35(2[89]|[3-8])", range(16, 20), (16,)),  # JCB
        (r"62|81", range(16, 20), (16, 19)),  # UnionPay
        (r"50[0-9]|5[6-8]|6304|6390|67", range(13, 20), (16,)),  # Maestro and what shares its ranges
        (r"220[0-4]", range(16, 20), (16,)),  # Mir
        (r"60|8[0-2]|9792|63[6-9]|627780", (16,), (16,)),  # RuPay, Troy, Elo, InstaPayment
    )
)

_DIGITS = re.compile(r"[0-9]{3}|[0-9][^0-9]+[0-9]")
# Nothing that a network gives begins otherwise.
_FIRST = frozenset("2345689")
_MANY_DIGITS = re.compile(r"(?:[0-9][^0-9]*){13}")
_WORD = re.compile(r"[0-9]+")
_DAY = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_SECURITY_CODE = re.compile(
    r"(?<![A-Za-z])(?:CVC2?|CVV2?|card verification|security code)(?: (?:code|number|value))?"
    r"\W{0,3}(?:is\W{1,3})?([0-9]{3,4})\b",
    re.IGNORECASE,
)
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
_HASH = re.compile(r"(?<![0-9a-z])(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})(?![0-9a-z])", re.IGNORECASE)
_PHONE = re.compile(r"\+(?:[ ()/.\-]{0,2}[0-9]){7,14}(?![ ()/.\-]{0,2}[0-9])")
_CHECKED = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){1,30}(?![A-Z0-9])", re.ASCII | re.IGNORECASE)
_QR = re.compile(r"(?<![0-9])[0-9]{2}(?: ?[0-9]{5}){5}(?![0-9])")
_NUMBER_OF_A_YEAR = re.compile(r"[A-Za-z]{0,16}-?20[0-9]{2}-[0-9]{10}(?![0-9])")
# How a blank, a dash or a line stands in what was copied from an address, a page, a mail or a log; also encoded twice.
_ENCODED = re.compile(
    r"%(?:25)+(?:0[9ad]|2[0c-f]|a0)|%[0-9a-f]{2}|=(?:0[9ad]|2[0d]|a0|c2)|&(?:#?[0-9]{1,5}|#x[0-9a-f]{1,5}|[a-z]{2,8});|<[^<>]{1,40}>|\\(?:u[0-9a-f]{4}|x[0-9a-f]{2}|[nrt])",
    re.IGNORECASE,
)
# Letters to Unicode: nothing to the eye, and what Koreans type as a dot between words.
_FILLERS, _DOTS = frozenset("\u115f\u1160\u3164\uffa0"), frozenset("\u119e\u318d")
# The table of the recursive check by 10, by which QR references are checked.
_CARRY = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5)


@dataclass(frozen=True)
class _Word:
    """Digits with nothing between them but what has no width, where each stands, and what is before the first."""

    digits: str
    places: tuple[int, ...]
    apart: str = ""


_Window = tuple[str, int, int]


def holds_card_number(text: str) -> bool:
    """Say whether a text seems to hold a card number or a security code; digits of any script count."""
    return next(_found(text), None) is not None


def without_card_numbers(text: str) -> str:
    """Return a text of somebody else's without card numbers, and without the expiry and code beside them."""
    # Of two numbers that are grown together one may show once the other is gone.
    while spans := sorted(_found(text)):
        kept, end = [], 0
        for start, stop in spans:
            if start >= end:
                kept += [text[end:start], REMOVED]
            end = max(end, stop)
        text = "".join(kept) + text[end:]
    return text


def place_of_card_number(value: object) -> str | None:
    """Return where a document holds one, as `lines.2.description`, or None. Raises ValueError for very many digits."""
    if isinstance(value, dict):
        return _place((str(name), held) for name, held in value.items())
    if isinstance(value, list | tuple):
        return _place((str(number), held) for number, held in enumerate(value))
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < _WORD_MOST:
        value = int(value)
    return "" if isinstance(value, str | int) and holds_card_number(str(value)) else None


def _place(parts: Iterable[tuple[str, object]]) -> str | None:
    for name, held in parts:
        if holds_card_number(name):
            return ""
        if (inner := place_of_card_number(held)) is not None:
            return f"{name}.{inner}".removesuffix(".")
    return None


def _found(text: str) -> Iterator[tuple[int, int]]:
    """Yield from where to where each card number or security code stands."""
    plain = text if text.isascii() else "".join(map(_plain, text))
    if _DIGITS.search(plain) is None:
        return
    for code in _SECURITY_CODE.finditer(plain):
        yield code.span()
    if _MANY_DIGITS.search(plain) is None:
        return
    yield from _numbers(plain)
    decoded = _ENCODED.sub(lambda found: " " * len(found[0]), plain)
    if decoded != plain:
        yield from _numbers(decoded)


def _numbers(plain: str) -> Iterator[tuple[int, int]]:
    others: list[tuple[int, int]] | None = None
    for words in _runs(plain):
        for digits, start, end in _windows(words):
            if not _is_card_number(digits):
                continue
            others = list(_other_numbers(plain)) if others is None else others
            if not any(first <= start and end <= last for first, last in others):
                yield start, _with_what_is_beside(words, end)


def _plain(character: str) -> str:
    """Return a digit of any script as ours, what has no width as U+200B, a mark as a dash; one character for one."""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(character)
    if category in {"Cf", "Mn", "Me"} or character in _FILLERS:
        return "\u200b"
    return "-" if category == "Lm" or character in _DOTS else character


def _runs(plain: str) -> Iterator[list[_Word]]:
    """Yield the words of digits that no letter stands between."""
    run: list[_Word] = []
    end = 0
    for found in _WORD.finditer(plain):
        between = plain[end : found.start()]
        word = _Word(found[0], tuple(range(*found.span())), _kinds(between))
        if run and not word.apart:
            run[-1] = replace(run[-1], digits=run[-1].digits + word.digits, places=run[-1].places + word.places)
        elif any(map(str.isalnum, between)) and run:
            yield run
            run = [word]
        else:
            run.append(word)
        end = found.end()
    if run:
        yield run


def _kinds(between: str) -> str:
    """Return what stands between two words, each kind once: blanks and lines are one."""
    return "".join(sorted({" " if character.isspace() else character for character in between} - {"\u200b"}))


def _windows(words: Sequence[_Word]) -> Iterator[_Window]:
    for word in words:
        yield from _within(word)
    for first in range(len(words) - 1):
        yield from _across(words, first)


def _within(word: _Word) -> Iterator[_Window]:
    """Yield what may be a number inside of one word: the whole, and its parts of lengths that are issued today."""
    if len(word.digits) in _LENGTHS:
        yield word.digits, word.places[0], word.places[-1] + 1
    begin = 8 if _DAY.match(word.digits) else 0
    is_long = len(word.digits) - begin > _WORD_MOST
    for length in (14, 15, 16, 19):
        last = len(word.digits) - length
        for start in {begin, last} if is_long and last > begin else range(begin, last + 1):
            part = word.digits[start : start + length]
            if _is_issued(part):
                # What is between the ends of a long word may be numbers as well: nobody looks there.
                first, end = (begin, len(word.digits)) if is_long and _luhn(part) else (start, start + length)
                yield part, word.places[first], word.places[end - 1] + 1


def _across(words: Sequence[_Word], first: int) -> Iterator[_Window]:
    """Yield what may be a number in several words: whole ones, and one whose ends are grown together with others."""
    digits = words[first].digits
    sizes = [len(digits)]
    # A word has a digit at least. The rest of a long text is not copied for each of its words.
    for word in words[first + 1 : first + _LENGTHS[-1]]:
        digits += word.digits
        sizes.append(len(word.digits))
        if len(digits) > _LENGTHS[-1]:
            break
        if len(digits) in _LENGTHS and digits[0] in _FIRST and _is_one_number(words, first, sizes):
            yield digits, words[first].places[0], word.places[-1] + 1
    yield from _grown_together(words[first : first + 4])


def _grown_together(words: Sequence[_Word]) -> Iterator[_Window]:
    sizes = [len(word.digits) for word in words]
    if len(sizes) == 4 and sizes[0] >= 4 and sizes[1:3] == [4, 4] and sizes[3] >= 4:
        head, tail = 4, 4
    elif len(sizes) >= 3 and sizes[0] >= 4 and sizes[1] == 6 and sizes[2] >= 4:
        words, head, tail = words[:3], 4, min(sizes[2], 5)
    else:
        return
    digits = words[0].digits[-head:] + "".join(word.digits for word in words[1:-1]) + words[-1].digits[:tail]
    yield digits, words[0].places[-head], words[-1].places[tail - 1] + 1


def _is_one_number(words: Sequence[_Word], first: int, sizes: Sequence[int]) -> bool:
    """Say whether words stand as those of one number do: with one thing between them, or in groups as cards have them.

    A list of amounts or days has two kinds of things between its digits, and groups of its own.
    """
    if len({word.apart for word in words[first + 1 : first + len(sizes)]}) == 1:
        return True
    is_in_groups = list(sizes) in ([4, 6, 5], [4, 6, 4]) or (sizes[0] >= 3 and len(set(sizes[:-1])) == 1)
    return is_in_groups or _is_spaced_out([word.apart for word in words[first + 1 : first + len(sizes)]], sizes)


def _is_spaced_out(apart: Sequence[str], sizes: Sequence[int]) -> bool:
    """Say whether groups of four are spaced out within: `42 42 - 42 42`. Amounts and days have no blank there."""
    if sizes[0] not in {1, 2} or len(set(sizes)) > 1 or sum(sizes) != 16:
        return False
    ends = 4 // sizes[0]
    within = {kind for at, kind in enumerate(apart, start=1) if at % ends}
    return within == {" "} and len(set(apart[ends - 1 :: ends])) == 1


def _with_what_is_beside(words: Sequence[_Word], end: int) -> int:
    """Return where a number ends together with the short words behind it."""
    behind = bisect_left(words, end, key=lambda word: word.places[0])
    for word in words[behind : behind + _BESIDE_MOST]:
        if len(word.digits) > 4:
            break
        end = word.places[-1] + 1
    return end


def _is_card_number(digits: str) -> bool:
    return any(len(digits) in lengths and network.match(digits) for network, lengths, _ in _NETWORKS) and _luhn(digits)


def _is_issued(digits: str) -> bool:
    return any(len(digits) in issued and network.match(digits) for network, _, issued in _NETWORKS)


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _other_numbers(plain: str) -> Iterator[tuple[int, int]]:
    """Yield where a text has numbers with a shape of their own."""
    for pattern in (_UUID, _HASH):
        yield from (found.span() for found in pattern.finditer(plain) if re.search("[a-fA-F]", found[0]))
    for pattern in (_PHONE, _NUMBER_OF_A_YEAR):
        yield from (found.span() for found in pattern.finditer(plain))
    for found in _CHECKED.finditer(plain):
        yield from _with_check_digits(found)
    yield from (found.span() for found in _QR.finditer(plain) if _is_qr(found[0].replace(" ", "")))


def _with_check_digits(found: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield the IBAN or creditor reference at the head of what may be one: words behind it may look like its end."""
    text = found[0]
    for end in [at for at in range(len(text), 14, -1) if at == len(text) or text[at] == " "]:
        plain = text[:end].replace(" ", "")
        if int("".join(str(int(character, 36)) for character in plain[4:] + plain[:4])) % 97 == 1:
            yield found.start(), found.start() + end
            return


def _is_qr(digits: str) -> bool:
    carried = 0
    for digit in digits[:-1]:
        carried = _CARRY[(carried + int(digit)) % 10]
    return (10 - carried) % 10 == int(digits[-1])
