"""Which charges are held for a person before they are sent."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from activities.configuration.fields import Currency, SlugId, minor_of
from activities.documents import DocumentPart

_AMOUNTS = ("above", "first_above", "most")
_CONDITIONS = ("above", "first_above", "times_median", "most_charges", "most")


class ChargeRule(DocumentPart):
    """A charge that any of its conditions names waits until a person releases it. Amounts are in major units.

    `above`: more than this. `first_above`: more than this, and the account has paid nothing through a gateway yet.
    `times_median`: more than so many times the median of the account's last `of_payments`, once it has `payments_min`.
    `most_charges`, `most`: with it there would be more charges, or a larger sum, `per` account, card or merchant within
    `within_minutes`; declined ones count. Such a charge goes on by itself when that time is over, unless
    `waits_for_person`. Without a currency a rule is of all, and has no amounts.
    """

    id: SlugId
    currency: Currency | None = None
    above: str | None = None
    first_above: str | None = None
    times_median: Annotated[Decimal, Field(gt=1, le=9999, decimal_places=2)] | None = None
    of_payments: Annotated[int, Field(ge=1, le=100)] = 12
    payments_min: Annotated[int, Field(ge=1, le=100)] = 3
    most_charges: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    most: str | None = None
    per: Literal["account", "card", "merchant"] | None = None
    within_minutes: Annotated[int, Field(ge=1, le=132_480)] | None = None
    waits_for_person: bool = False
    active: bool = True

    @model_validator(mode="after")
    def _conditions_are_whole(self) -> Self:
        if all(getattr(self, field) is None for field in _CONDITIONS):
            raise ValueError(f"id: a rule has one of {', '.join(_CONDITIONS)}")
        for field in _AMOUNTS:
            if getattr(self, field) is not None and self.currency is None:
                raise ValueError(f"currency: {field} is an amount of one")
            if (self._minor(field) or 0) < 0:
                raise ValueError(f"{field}: is 0 or more")
        if self._minor("most") == 0:
            raise ValueError("most: is more than 0; above = 0 holds every charge")
        if self.payments_min > self.of_payments:
            raise ValueError("payments_min: is at most of_payments")
        counts = self.most_charges is not None or self.most is not None
        if (self.per is not None, self.within_minutes is not None) != (counts, counts):
            raise ValueError("per: most_charges and most are counted per something, within_minutes")
        return self

    def stored(self) -> dict[str, Any]:
        """Return what it says, as the database keeps it: amounts in minor units."""
        kept = self.model_dump(exclude={"id", "active", *_AMOUNTS})
        return {**kept, **{f"{field}_minor": self._minor(field) for field in _AMOUNTS}, "is_active": self.active}

    def _minor(self, field: str) -> int | None:
        text = getattr(self, field)
        return None if text is None else minor_of(field, text, self.currency or "")
