"""To whom documents are made out: a postal address as an invoice needs it."""

import re
from dataclasses import asdict, dataclass

from models.printable import is_one_line
from models.printouts.countries import begins_with_country, is_country
from models.problem import Problem, RefusedError

# Two letters of the member state, and what it gives (2006/112/EC art. 215); no country's is longer.
_VAT_ID = re.compile(r"[A-Z]{2}[A-Z0-9+*]{2,13}")
_LONGEST = {"country": 2, "name": 200, "street": 200, "addition": 200, "postal_code": 20, "city": 100, "reference": 100}
_REQUIRED = ("street", "city", "country")


@dataclass(frozen=True)
class PostalAddress:
    """An address; without a name it is the account's owner. `country` as ISO 3166-1, `reference` is the buyer's own."""

    street: str
    city: str
    country: str
    postal_code: str = ""
    name: str = ""
    addition: str = ""
    vat_id: str = ""
    reference: str = ""

    def __post_init__(self) -> None:
        """Raise RefusedError with every field that is wrong."""
        if problems := self._problems():
            raise RefusedError(problems)

    def _problems(self) -> list[Problem]:
        found = []
        for field, value in asdict(self).items():
            if field in _REQUIRED and not value:
                found.append(Problem(field, "required", "must be given"))
            elif len(value) > _LONGEST.get(field, 20):
                found.append(
                    Problem(field, "length", f"has {len(value)} characters, at most {_LONGEST.get(field, 20)}")
                )
            elif not is_one_line(value):
                found.append(Problem(field, "one_line", "must be one line, of characters that are to be seen"))
            elif field in _REQUIRED and not value.strip():
                found.append(Problem(field, "required", "must be given"))
        if self.country and not is_country(self.country):
            found.append(Problem("country", "country_code", f"{self.country!r} is no country by ISO 3166, such as DE"))
        if self.vat_id and not (_VAT_ID.fullmatch(self.vat_id) and begins_with_country(self.vat_id)):
            found.append(Problem("vat_id", "vat_id_format", f"{self.vat_id!r} is not written like DE123456789"))
        return found
