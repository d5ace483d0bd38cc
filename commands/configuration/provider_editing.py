"""Changing a provider field by field (P13): one more document, by the rules and in the words of `definitions apply`."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from activities.configuration.definitions import Configuration, Definitions
from activities.configuration.document import DefinitionsDocument
from activities.configuration.document_parts.ledger_document import NONE
from activities.documents import document_problems
from commands.configuration.definitions import answer_applied
from commands.configuration.exported import provider_part
from commands.output import Output
from commands.session import database_of, read_settings
from models.problem import Problem, RefusedError, refusal

AMOUNTS = ("fixed", "minimum", "maximum")
# What may be changed. Gateway, mode, merchant and account make it what it is; keys are in no database.
FIELDS = ("state", "currencies", "payment_methods", "percent", *AMOUNTS, "refunded")
_FEE = ("percent", *AMOUNTS)
_KINDS = ("providers", "payment_methods")
_PLACE = re.compile(r"^providers\.0\.?(application_fee\.?)?(\w*)")
_SEPARATED = re.compile(r"[,;\s]*[,;\n]\s*")


async def edit(
    output: Output, id: str, given: Mapping[str, str], expected: Mapping[str, str], *, actor: str, reason: str
) -> None:
    """Change those fields of a provider that are no more as they were seen; all are texts, as `cells_of` has them.

    Raises RefusedError, each problem at its field: as `definitions apply` does, or where somebody else has changed a
    field since it was seen.
    """

    def make(found: Configuration) -> DefinitionsDocument:
        return _document(id, found, {name: given[name] for name in FIELDS if given[name] != expected[name]}, expected)

    async with database_of(read_settings()) as database:
        try:
            applied = await Definitions(database).apply_made(_KINDS, make, actor=actor, reason=reason)
        except RefusedError as refused:
            raise RefusedError(map(_at_its_field, refused.problems)) from refused
    answer_applied(output, applied)


def cells_of(part: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a provider, as a document has it, as texts: amounts such as "EUR 0.50, USD 0.50"."""
    fee = part.get("application_fee", NONE)
    rule: Mapping[str, Any] = {} if fee == NONE else fee
    return {
        "state": part["state"],
        "currencies": _written(part["minimums"]),
        "payment_methods": ", ".join(part["payment_methods"]),
        "percent": str(rule.get("percent", "")),
        **{name: _written(rule.get(name, {})) for name in AMOUNTS},
        "refunded": "yes" if rule.get("refunded") else "",
    }


def _document(
    id: str, found: Configuration, changed: Mapping[str, str], expected: Mapping[str, str]
) -> DefinitionsDocument:
    row = next((one for one in found["providers"] if one.id == id), None)
    if row is None:
        raise refusal("provider", "provider_exists", f"there is no provider {id!r}")
    part = provider_part(row, found)
    cells = cells_of(part)
    if lost := [name for name in changed if cells[name] != expected[name]]:
        what = f"{cells[lost[0]] or 'empty'} since somebody has changed it: open the form again"
        raise refusal(lost[0], "field_is_as_seen", f"is {what}")
    wanted = {"providers": [_part(part, {**cells, **changed})]}
    try:
        return DefinitionsDocument.model_validate(wanted)
    except ValidationError as error:
        raise RefusedError(document_problems(error, kind=DefinitionsDocument)) from error


def _part(part: Mapping[str, Any], cells: Mapping[str, str]) -> dict[str, Any]:
    minimums = _amounts("currencies", cells["currencies"])
    wanted = {
        **part,
        "state": cells["state"],
        "currencies": list(minimums),
        "minimums": {code: amount for code, amount in minimums.items() if amount},
        "payment_methods": [one for one in _SEPARATED.split(cells["payment_methods"].strip()) if one],
    }
    if any(cells[name] for name in (*_FEE, "refunded")):
        amounts = {name: _amounts(name, cells[name]) for name in AMOUNTS if cells[name]}
        fee = {"percent": _percent(cells["percent"]), **amounts, "refunded": cells["refunded"] == "yes"}
        return {**wanted, "application_fee": fee}
    return {**wanted, "application_fee": NONE} if "application_fee" in part else wanted


def _amounts(field: str, text: str) -> dict[str, str]:
    """Read amounts by currency; one of a currency alone is "". Raises RefusedError."""
    amounts: dict[str, str] = {}
    for one in filter(None, _SEPARATED.split(text.strip())):
        code, _, amount = one.partition(" ")
        if code in amounts:
            raise refusal(field, "named_once", f"{code} is there twice")
        if not amount and field != "currencies":
            raise refusal(field, "amount_of_currency", f"{one!r} is none: write EUR 0.25, USD 0.30")
        amounts[code] = amount.strip()
    return amounts


def _percent(text: str) -> Decimal:
    try:
        return Decimal(text or "0")
    except InvalidOperation as error:
        raise refusal("percent", "decimal_parsing", "must be a number such as 12.5") from error


def _written(amounts: Mapping[str, str]) -> str:
    return ", ".join(f"{code} {amount}" for code, amount in sorted(amounts.items()))


def _at_its_field(problem: Problem) -> Problem:
    """Name the field of the form instead of the place in the document; the words stay."""
    found = _PLACE.match(problem.field)
    if found is None:
        return problem
    # What is about several fields of a part opens with the one that it means.
    field = found[2] or (problem.message.partition(":")[0] if ":" in problem.message else "")
    name = field.partition(".")[0]
    if name == "minimums":
        name = "currencies"
    elif name not in FIELDS:
        name = "percent" if found[1] else "provider"
    return Problem(name, problem.rule, problem.message)
