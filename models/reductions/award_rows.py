"""The rows of a file of awards (X67): what each cell must be before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.imports.columns import AWARDS
from models.imports.rows import Cells
from models.reductions.reduction import Award, InvalidAwardError


@dataclass(frozen=True)
class AwardRow:
    """An award and the line it stands in."""

    line: int
    award: Award | None


def award_row(line: int, cells: Mapping[str, str]) -> AwardRow:
    """Read an award. Raises RefusedError with everything that is wrong with the row."""
    reading = Cells(AWARDS, line, cells)
    currency = reading.currency("currency")
    amount_minor = reading.amount("amount", currency, least=1)
    merchant, account = reading.text("merchant_id"), reading.text("account_id")
    award = None
    if not reading.problems:
        try:
            award = Award(
                reading.text("award_id"), merchant, account, amount_minor, currency, reading.text("payment_id")
            )
        except InvalidAwardError as error:
            field, _, message = str(error).partition(": ")
            reading.refuse(field, "award_valid", message)
    return reading.finish(AwardRow(line, award))
