"""What banks write below a line of MT940: each country has its own way to tell the payer's words from its own."""

import re
from dataclasses import dataclass

from models.card_number import without_card_numbers

# As many characters as an end-to-end id has.
_ID_MAX = 35
# Subfields of two digits behind a mark that the bank chooses, perhaps behind a code of the business: `166?00..?20..`.
_HEAD = re.compile(r"\s*(?P<business>[0-9A-Z]{3,4})?(?P<mark>[?<>~^@])(?=[0-9]{2})")
_ANYWHERE = re.compile(r"\?[0-9]{2}")
_TEXTS, _PARTY = (*range(20, 30), *range(60, 64)), (32, 33)
# What stands in subfields of German banks, each behind its name and a plus.
_NAMED = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC)\+")
# What Dutch banks put between slashes: `/EREF/of theirs/ORDP//NAME/Ann Smith/REMI/Invoice 12/`. A line may end within.
_TAGS = (
    "TRTP", "TRCD", "EREF", "PREF", "MARF", "RTRN", "ORDP", "BENM", "NAME", "ADDR", "REMI", "ISDT", "CSID", "IBAN",
    "BIC", "CNTP", "PURP", "ULTB", "ULTD", "SVCL", "ACCW", "EXCH", "CHGS",
)  # fmt: skip
# How remittance is written, within its tag: `/REMI/USTD//cust-1001/`, `/REMI/STRD/CUR/9000/`.
_REMITTANCE = re.compile(r"\b(USTD|STRD/(?:CUR|ISO))/+")
_TAG = re.compile("|".join("\n?".join(f"/{tag}/") for tag in _TAGS))
# Returns, by the business codes of German banks: a direct debit that came back, a transfer that came back, a debit
# that the payer's bank gives back.
RETURNS = frozenset({"108", "109", "159", "181", "184"})


@dataclass(frozen=True)
class LineDetails:
    """The words of a line with the bank's own line ends, who paid, the payer's own number, and whether it came back."""

    texts: tuple[str, ...] = ()
    payer: str = ""
    end_to_end_id: str = ""
    is_return: bool = False
    return_reason: str = ""


def details_of(written: str) -> LineDetails:
    """Read what stands below a line, whatever way the bank has."""
    head = _HEAD.match(written)
    if head is not None or _ANYWHERE.search(written):
        return _of_subfields(written, head)
    if (tag := _TAG.match(written.lstrip())) is not None:
        return _of_tags(written.lstrip()[tag.start() :])
    return LineDetails(tuple(written.split("\n")), end_to_end_id=_named("EREF", written.replace("\n", "")))


def _of_subfields(written: str, head: re.Match[str] | None) -> LineDetails:
    mark = head["mark"] if head else "?"
    fields = re.split(f"{re.escape(mark)}([0-9]{{2}})", written.replace("\n", ""))
    numbered = [(int(name), value) for name, value in zip(fields[1::2], fields[2::2], strict=True)]
    texts = tuple(value for name, value in numbered if name in _TEXTS)
    if head is None and fields[0].strip():
        # No bank's mark, perhaps, but a payer's.
        texts = (fields[0], *texts)
    business = head["business"] if head else ""
    return LineDetails(
        texts,
        payer="".join(value for name, value in numbered if name in _PARTY).strip(),
        end_to_end_id=_named("EREF", "".join(texts)),
        is_return=business in RETURNS,
    )


def _of_tags(written: str) -> LineDetails:
    found = list(_TAG.finditer(written))
    ends = [*(one.start() for one in found[1:]), len(written)]
    values: dict[str, str] = {}
    for one, end in zip(found, ends, strict=True):
        tag = one.group().replace("\n", "").strip("/")
        values.setdefault(tag, written[one.end() : end].replace("\n", "").strip("/ "))
    counterparty = values.get("CNTP", "").split("/")
    # A tag is a word of its own, so that what stands beside it is one too; lines stay as long as the bank made them.
    texts = _TAG.sub(lambda one: f" {one.group().replace(chr(10), '').strip('/')}:", written)
    texts = _REMITTANCE.sub(r"\1: ", texts)
    return LineDetails(
        tuple(line.rstrip().rstrip("/") for line in texts.split("\n")),
        payer=values.get("NAME") or (counterparty[2] if len(counterparty) > 2 else ""),
        end_to_end_id=values.get("EREF", ""),
        is_return="RTRN" in values,
        return_reason=values.get("RTRN", ""),
    )


def _named(name: str, text: str) -> str:
    """Return what stands behind a name and a plus, up to the next name."""
    parts = _NAMED.split(text)
    found = next((value.strip() for own, value in zip(parts[1::2], parts[2::2], strict=True) if own == name), "")
    # A part of a number would not be known for one.
    return found if len(found) <= _ID_MAX else without_card_numbers(found)[:_ID_MAX]
