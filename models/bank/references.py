"""What a line says of whose money it is: fields for references first, then texts, then the payer's number (F122)."""

import re
from collections.abc import Iterator, Mapping, Sequence

from models.bank.entry import BankEntry, is_reference, remainder_97
from models.ledger.number_series import CUT, INVOICES, NumberSeries

_ONLY_INVOICES = (INVOICES,)
_WORD = re.compile(r"[!-~\w]+")
_WORD_MAX = 64
_CREDITOR = re.compile(r"RF[0-9]{2}([0-9A-Z]{1,21})")
# The same in a payer's text: people copy it in groups of four, as it is printed.
_CREDITOR_IN_TEXT = re.compile(r"\bRF[0-9]{2}(?:[ \n]{0,2}[0-9A-Z]){1,21}\b", re.IGNORECASE)
_PUNCTUATION = ",;:()[]<>\"'!?*#"
# What stands between an account and what is beside it in one word, such as `customer:cust-1001` or `cust-1001,May`.
_BETWEEN = re.compile(r"[,;:+&=|()\[\]<>\"']+")
# What banks of some countries put around each part of a text: `/REMI/cust-1001/EREF/7/`, `/VS/1001/KS/0308`. Between
# other slashes stands one word: `cust-1001/2` is nobody's but that one's.
_TAG = re.compile(
    r"/(?:TRTP|TRCD|EREF|PREF|MARF|ORDP|BENM|NAME|ADDR|REMI|CSID|IBAN|BIC|CNTP|PURP|ULTB|ULTD|VS|SS|KS|INV|TXT|IDC|VAT)/+"
    r"(?:USTD/+|STRD/(?:CUR|ISO)/+)?"
)
_ENDS = re.compile(r"/+(?= |\Z)")
# What programs put into texts in the place of a hyphen, and what nobody sees: part of a word, and no end of one.
_AS_TYPED: Mapping[int, str | None] = {
    **dict.fromkeys((*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63, 0xFF0D), "-"),
    **dict.fromkeys((0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF)),
}
# As long as banks make their lines: some put them together with blanks again.
_WIDTHS = (27, 35, 65, 70, 140)
# A payer's own running number has as many digits, and may be the id of somebody's account.
_OWN_DIGITS_MAX = 5


def references(entry: BankEntry, series: Sequence[NumberSeries] = _ONLY_INVOICES) -> Iterator[tuple[str, ...]]:
    """Yield everything in an entry that may name an account or an invoice, what counts most first.

    Of a text, a number of few digits counts where nothing better is named, and a year or a day never: payers write what
    they pay for.
    """
    yield tuple(stated_references(entry, series))
    written = tuple(written_references(entry, series))
    yield tuple(word for word in written if not _says_little(word))
    yield tuple(word for word in written if _says_little(word) and not _is_day(word))
    yield tuple(payer_references(entry, series))


def stated_references(entry: BankEntry, series: Sequence[NumberSeries] = _ONLY_INVOICES) -> Iterator[str]:
    """Yield what fields made for references hold: accounts or invoices, as they stand and without an RF frame.

    A field for documents names invoices alone: a document's number may look like somebody's account.
    """
    for stated in (entry.account_id, entry.structured_reference, *entry.other_references):
        if is_reference(text := _typed(stated)):
            yield from _readings(text.strip(), series)
            yield from _numbers(text, series)
    for stated in entry.documents:
        yield from _numbers(_typed(stated), series)


def written_references(entry: BankEntry, series: Sequence[NumberSeries] = _ONLY_INVOICES) -> Iterator[str]:
    """Yield the words of the payer's text that may name an account or an invoice.

    A bank cuts long texts into lines wherever they are full, so the text is also read with its lines put together:
    what both readings name may be two accounts, and is nobody's for certain then. A line that is as long as a bank's
    lines are was cut there, and a word at its end is perhaps half of one. A word without a digit, or shorter than four
    characters, is taken for language and not for a reference.
    """
    written = _typed(entry.text)
    if _TAG.search(written):
        # Lines stay as long as they are, by which a bank's cuts are known.
        written = _ENDS.sub(_blank, _TAG.sub(_blank, written))
    lines = written.split("\n")
    whole = "".join(f"{line}{CUT if len(line) in _WIDTHS else ' '}" for line in lines[:-1]) + lines[-1]
    yield from _framed_in(written, series)
    for text in dict.fromkeys((whole, "".join(lines), *_without_cuts(written))):
        yield from _framed_in(text, series)
        yield from _numbers(text, series)
        yield from _words(text, series)


def payer_references(entry: BankEntry, series: Sequence[NumberSeries] = _ONLY_INVOICES) -> Iterator[str]:
    """Yield what the end-to-end id names: the payer chose it, so it counts least, and a short number says nothing."""
    text = _typed(entry.end_to_end_id).strip()
    if is_reference(text) and not (text.isdigit() and len(text) <= _OWN_DIGITS_MAX):
        yield from _readings(text, series)
        yield from _numbers(text, series)


def _typed(text: str) -> str:
    return text if text.isascii() else text.translate(_AS_TYPED)


def _blank(found: re.Match[str]) -> str:
    return " " * len(found.group())


def is_creditor_reference(text: str) -> bool:
    """Say whether a reference has the check digits of ISO 11649."""
    plain = text.replace(" ", "").upper()
    return bool(_CREDITOR.fullmatch(plain)) and remainder_97(plain) == 1


def _numbers(text: str, series: Sequence[NumberSeries]) -> Iterator[str]:
    for one in series:
        yield from one.numbers_in(text)


def _words(text: str, series: Sequence[NumberSeries]) -> Iterator[str]:
    for found in _WORD.finditer(text):
        if CUT in {text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]}:
            continue
        word = found.group()
        plain = word.strip(_PUNCTUATION).rstrip(".")
        if _says_something(plain):
            yield plain
            yield from _framed(plain, series)
        yield from (part for part in _BETWEEN.split(plain) if part != plain and _says_something(part))


def _without_cuts(text: str) -> Iterator[str]:
    """Yield a text of one line as it was before a bank cut it, if its blanks stand where lines would end."""
    for width in _WIDTHS if "\n" not in text else ():
        if len(text) > width and all(text[place] == " " for place in range(width, len(text), width + 1)):
            yield "".join(text[place : place + width] for place in range(0, len(text), width + 1))


def _framed_in(text: str, series: Sequence[NumberSeries]) -> Iterator[str]:
    """Yield what creditor references in a text name; what follows one may look like its end, so check digits decide."""
    for found in _CREDITOR_IN_TEXT.finditer(text):
        parts = found.group().split()
        for count in range(len(parts), 0, -1):
            if is_creditor_reference(one := "".join(parts[:count])):
                yield from _framed(one, series)
                break


def _says_little(word: str) -> bool:
    """Say whether a word may be anything: a year, a day, an amount, a postcode, or somebody's account."""
    return word.isdigit() and (len(word) <= _OWN_DIGITS_MAX or _is_day(word))


def _is_day(word: str) -> bool:
    """Say whether a number is a year of this century or the one before, or a day such as 20260520 or 20052026."""
    if len(word) == 4:
        return word[:2] in {"19", "20"}
    return any(_exists(year, month, day) for year, month, day in _days_of(word))


def _days_of(word: str) -> Iterator[tuple[str, str, str]]:
    if len(word) == 8:
        yield word[:4], word[4:6], word[6:]
        yield word[4:], word[2:4], word[:2]


def _exists(year: str, month: str, day: str) -> bool:
    return year[:2] == "20" and 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def _says_something(word: str) -> bool:
    return 4 <= len(word) <= _WORD_MAX and word.isascii() and any(character.isdigit() for character in word)


def _readings(text: str, series: Sequence[NumberSeries]) -> Iterator[str]:
    yield text
    yield from (number for one in series if (number := one.number_of(text)))
    yield from _framed(text, series)


def _framed(text: str, series: Sequence[NumberSeries]) -> Iterator[str]:
    if (framed := _CREDITOR.fullmatch(text.replace(" ", "").upper())) is not None and is_creditor_reference(text):
        # A frame that a bank has cut is right by its check digits once in 97 times: a number in it has all its digits.
        yield from (number for one in series if (number := one.number_of(framed[1])).replace("-", "") == framed[1])
        yield from (framed[1], framed[1].lower())
