"""Segments and what customers are written: whom a name stands for, texts with tags, and mail about what is posted."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from activities.configuration.document_parts.run_document import Label
from activities.configuration.fields import Currency, DefinitionId, Id, MethodId, Name, SlugId, TypeId, minors_of
from activities.documents import DocumentPart
from models.ledger.transaction import Classification, LifeCycleState
from models.messages.communication import SUBJECT_LENGTH, TEXT_LENGTH, About, require_known_tags
from models.moment import YEARS, YEARS_MEANING
from models.reports.periods import RELATIVE

_AMOUNTS = frozenset({"minimum", "maximum", "minimum_balance", "maximum_balance", "minimum_paid", "maximum_paid"})
_OF_ACCOUNTS = frozenset(
    {"labels", "regions", "classifications", "states", "currencies", "payment_methods", "products", "overdue_days"}
    | {"minimum_balance", "maximum_balance", "minimum_paid", "maximum_paid", "payments_min", "payments_max"}
    | {"declines_min", "within_days", "card_expires_days", "risks_min"}
)
_OF_TRANSACTIONS = frozenset(
    {"classifications", "states", "types", "currencies", "payment_methods", "providers", "products", "product_lines"}
    | {"sales_channels", "minimum", "maximum", "open", "overdue_days", "posted", "accounts"}
)
_OVER_DAYS = ("minimum_paid", "maximum_paid", "payments_min", "payments_max", "declines_min")
_ACCOUNT_STATES = frozenset({"active", "suspended", "terminated"})
_POSTED_STATES = frozenset(
    {LifeCycleState.POSTED.value, LifeCycleState.CANCELLED.value, LifeCycleState.WRITTEN_OFF.value}
)

Days = Annotated[int, Field(ge=1, le=3660)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


def _is_period(given: str | Mapping[Literal["from", "to"], date] | None) -> bool:
    if given is None or isinstance(given, str):
        return given is None or given in RELATIVE
    has_both = given.keys() == {"from", "to"}
    return has_both and given["from"] <= given["to"] and {given["from"].year, given["to"].year} <= set(YEARS)


class SegmentCriteria(DocumentPart):
    """Which accounts or transactions a segment has; what is left out does not limit it.

    Amounts are in major units by currency, both bounds included; of a currency that a bound does not name there is
    nobody. `labels` are the accounts' own segments. A balance is what is owed, and below zero what is owed to them.
    `overdue_days`: so many days, or more, after the due date, on the account's calendar. What was paid (payments less
    their cancellations and refunds), payments and declines are those of the last `within_days` days, or 365.
    `card_expires_days`: no active card for recurring charges is good for longer than so many days, and there is one.
    `risks_min`: so many, or more, of the five rules of the report `at-risk` are true. `posted` is a period of reports,
    or days; `accounts` a segment of accounts whose transactions they are.
    """

    labels: tuple[Label, ...] = ()
    regions: tuple[Label, ...] = ()
    classifications: tuple[Label, ...] = ()
    states: tuple[Label, ...] = ()
    currencies: tuple[Currency, ...] = ()
    payment_methods: tuple[MethodId, ...] = ()
    providers: tuple[SlugId, ...] = ()
    types: tuple[TypeId, ...] = ()
    products: tuple[Id, ...] = ()
    product_lines: tuple[Label, ...] = ()
    sales_channels: tuple[Label, ...] = ()
    minimum: dict[Currency, str] = {}
    maximum: dict[Currency, str] = {}
    minimum_balance: dict[Currency, str] = {}
    maximum_balance: dict[Currency, str] = {}
    minimum_paid: dict[Currency, str] = {}
    maximum_paid: dict[Currency, str] = {}
    payments_min: Count | None = None
    payments_max: Count | None = None
    declines_min: Annotated[int, Field(ge=1, le=1000)] | None = None
    within_days: Days | None = None
    overdue_days: Annotated[int, Field(ge=1, le=3660)] | None = None
    card_expires_days: Annotated[int, Field(ge=0, le=3660)] | None = None
    risks_min: Annotated[int, Field(ge=1, le=5)] | None = None
    open: bool | None = None
    posted: str | dict[Literal["from", "to"], date] | None = None
    accounts: DefinitionId | None = None

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        for lower, upper in (
            ("minimum", "maximum"),
            ("minimum_balance", "maximum_balance"),
            ("minimum_paid", "maximum_paid"),
        ):
            least, most = minors_of(lower, getattr(self, lower)), minors_of(upper, getattr(self, upper))
            if wrong := sorted(code for code in least.keys() & most.keys() if least[code] > most[code]):
                raise ValueError(f"{upper}: {wrong[0]} is less than the {lower}")
            if least and most and least.keys() != most.keys():
                raise ValueError(f"{upper}: name the currencies of {lower}; of another one there is nobody")
        if self.payments_max is not None and self.payments_max < (self.payments_min or 0):
            raise ValueError("payments_max: is less than payments_min")
        if self.within_days is not None and not any(getattr(self, name) not in (None, {}) for name in _OVER_DAYS):
            raise ValueError(f"within_days: belongs to {', '.join(_OVER_DAYS)}")
        if not _is_period(self.posted):
            raise ValueError(
                f"posted: must be one of {', '.join(RELATIVE)}, or have from and to in this order, in {YEARS_MEANING}"
            )
        return self

    def given(self) -> Mapping[str, Any]:
        """Return the criteria that limit it."""
        return {
            name: value
            for name, value in self.model_dump(mode="json").items()
            if value is not None and value not in ([], {})
        }

    def stored(self) -> dict[str, Any]:
        """Return them as the database keeps them: amounts in minor units."""
        return {
            f"{name}_minor" if name in _AMOUNTS else name: minors_of(name, value) if name in _AMOUNTS else value
            for name, value in self.given().items()
        }


class SegmentPart(DocumentPart):
    """A named group (F142): of accounts, which policies, reminders and runs may name, or of posted transactions."""

    id: DefinitionId
    name: Name
    about: Literal["accounts", "transactions"]
    criteria: SegmentCriteria = SegmentCriteria()
    active: bool = True

    @model_validator(mode="after")
    def _criteria_are_of_what_it_is_about(self) -> Self:
        is_of_accounts = About(self.about) is About.ACCOUNTS
        allowed = _OF_ACCOUNTS if is_of_accounts else _OF_TRANSACTIONS
        if others := sorted(self.criteria.given().keys() - allowed):
            raise ValueError(f"criteria: {others[0]} is none of {self.about}; they have {', '.join(sorted(allowed))}")
        states = _ACCOUNT_STATES if is_of_accounts else _POSTED_STATES
        if wrong := sorted(set(self.criteria.states) - states):
            raise ValueError(f"criteria.states: {wrong[0]!r} is none of {', '.join(sorted(states))}")
        kinds = {one.value for one in Classification}
        if not is_of_accounts and (unknown := sorted(set(self.criteria.classifications) - kinds)):
            raise ValueError(f"criteria.classifications: {unknown[0]!r} is none of {', '.join(sorted(kinds))}")
        return self

    def stored(self) -> dict[str, Any]:
        """Return the segment by the columns of the database."""
        criteria = self.criteria.stored()
        return {"name": self.name, "about": self.about, "criteria": criteria, "is_active": self.active}


class MessageText(DocumentPart):
    """A subject and a text in one language."""

    subject: Annotated[str, Field(min_length=1, max_length=SUBJECT_LENGTH, pattern=r"^[^\r\n\t]+$")]
    text: Annotated[str, Field(min_length=1, max_length=TEXT_LENGTH)]


class MessageTemplate(DocumentPart):
    """What `communicate` writes (F140, F141): texts by language, with tags written #{tag}.

    Whose language is not there reads the English text, else the first one. With `attaches_documents` a transaction's
    document goes with it. `is_required` says that the law or a contract requires the text: it goes to whoever has opted
    out of communications too, and has no link to opt out by.
    """

    id: DefinitionId
    name: Name
    about: Literal["accounts", "transactions"]
    attaches_documents: bool = False
    is_required: bool = False
    texts: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], MessageText], Field(min_length=1, max_length=50)
    ]
    active: bool = True

    @model_validator(mode="after")
    def _tags_are_known(self) -> Self:
        for language, written in self.texts.items():
            for field in ("subject", "text"):
                try:
                    require_known_tags(getattr(written, field), About(self.about))
                except ValueError as error:
                    raise ValueError(f"texts.{language}.{field}: {error}") from error
        if self.attaches_documents and About(self.about) is About.ACCOUNTS:
            raise ValueError("attaches_documents: an account has no document; a transaction has")
        return self

    def stored(self) -> dict[str, Any]:
        """Return the template by the columns of the database."""
        given = self.model_dump(mode="json", exclude={"id", "active"})
        return {**given, "is_active": self.active}


class MessageRulesPart(DocumentPart):
    """Mail about what is posted; what it says nothing of stays as it is.

    `sends_invoices`: an invoice is mailed when it is posted, with its document, once. `sends_bills`: a bill is when it
    is made, or, where it exceeds a limit, when somebody presents it. `confirms_payments`: a payment by bank or by hand
    is confirmed as one by card is. Nothing is mailed of what is posted to a day of more than a week ago.
    """

    sends_invoices: bool | None = None
    sends_bills: bool | None = None
    confirms_payments: bool | None = None
