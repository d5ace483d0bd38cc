"""A subscription of an import: what its row says, and how one begins whose periods are no plain months."""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from models.problem import Problem, RefusedError
from models.subscriptions.cycle import Term
from models.subscriptions.discounts import discount_of
from models.subscriptions.orders import DiscountAsked, TermsAsked, creation
from models.subscriptions.timeline import DatedChange

# What only a new subscription takes from a file; that of one which is there is changed by `subscriptions change`.
OF_NEW_ONES = ("term", "trial_until", "discount", "discount_until")
# What an order calls a field that is a column of another name.
_COLUMN_OF = {"trial": "trial_until"}


@dataclass(frozen=True)
class ImportedSubscription:
    """A subscription to start or to change: price of one piece a billing period, before tax, in minor units.

    `discount` is a share such as `20%`, or an amount in minor units as text; empty for none.
    """

    subscription_id: str
    account_id: str
    product_id: str
    price_minor: int
    currency: str
    quantity: int
    billing_day: int
    starts_on: date
    ends_on: date | None = None
    term: str = Term.MONTH.value
    trial_until: date | None = None
    discount: str = ""
    discount_until: date | None = None
    kept: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def is_billed_by_day(self) -> bool:
        """Whether it is more than a price for whole months: then it is made as `subscriptions create` makes one."""
        return (self.term, self.trial_until, self.discount) != (Term.MONTH, None, "")

    def creation(self) -> DatedChange:
        """Return its first change. Raises RefusedError naming columns."""
        asked = TermsAsked(
            self.product_id, self.price_minor, self.quantity, Term(self.term), self.billing_day, self._discount()
        )
        try:
            return creation(self.currency, asked, self.starts_on, trial=self.trial_until, ends_on=self.ends_on)
        except RefusedError as error:
            raise RefusedError([_of_column(problem) for problem in error.problems]) from error

    def _discount(self) -> DiscountAsked | None:
        if not self.discount:
            return None
        share = self.discount.removesuffix("%")
        if share != self.discount:
            return DiscountAsked(percent=Decimal(share), until=self.discount_until)
        return DiscountAsked(amount_minor=int(self.discount), until=self.discount_until)


@dataclass(frozen=True)
class CreatedSubscription:
    """A subscription to create with its first change, as a document."""

    subscription_id: str
    account_id: str
    currency: str
    change: object


def kept_discount(text: str, until: date | None, currency: str) -> str:
    """Return a discount of a cell as it is kept: a share, or minor units. Raises RefusedError."""
    asked = discount_of(text, until, 0, currency)
    if asked is None or not (asked.percent or asked.amount_minor):
        return ""
    return f"{asked.percent:f}%" if asked.percent else str(asked.amount_minor)


def terms_that_differ(row: ImportedSubscription, before: ImportedSubscription) -> list[str]:
    """Return the columns of a row that only a new subscription takes, and that are otherwise than they are stored."""
    return [name for name in OF_NEW_ONES if getattr(row, name) != getattr(before, name)]


def _of_column(problem: Problem) -> Problem:
    return replace(problem, field=_COLUMN_OF.get(problem.field, problem.field))
