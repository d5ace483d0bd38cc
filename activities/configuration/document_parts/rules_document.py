"""The tables of the document for what is done by itself: about cards, refunds, alerts, reminders; and of four eyes."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from activities.configuration.fields import Currency
from activities.documents import DocumentPart
from models.bank.refund_plan import FileFormat
from models.money import Money

# A reminder further from the due date than a year is none.
Day = Annotated[int, Field(ge=0, le=366)]


class CardRulesPart(DocumentPart):
    """What is done about cards; all in days. What it says nothing of stays as it is.

    `warn_days` before its end a card's holder is warned, `stale_days` after its last use a card is validated again, and
    a page is open for `action_days`, with a reminder after `reminder_days`.
    """

    warn_days: tuple[Annotated[int, Field(ge=1, le=366)], ...] | None = None
    stale_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    action_days: Annotated[int, Field(ge=1, le=90)] | None = None
    reminder_days: Annotated[int, Field(ge=1, le=89)] | None = None

    @model_validator(mode="after")
    def _warns_in_order(self) -> Self:
        if self.warn_days is not None and sorted(set(self.warn_days), reverse=True) != list(self.warn_days):
            raise ValueError("warn_days: each once, the most days first")
        if self.reminder_days is not None and self.reminder_days >= (self.action_days or 91):
            raise ValueError("reminder_days: comes before the page ends, within action_days")
        return self


class CardNetwork(DocumentPart):
    """How many declines in how many days a network allows; `*` is every network that has no row of its own."""

    brand: Annotated[str, Field(pattern=r"^(\*|[a-z][a-z0-9_]{0,31})$")]
    declines_max: Annotated[int, Field(ge=1, le=1000)]
    days: Annotated[int, Field(ge=1, le=365)]

    @property
    def id(self) -> str:
        """What distinguishes networks."""
        return self.brand


class AlertRulesPart(DocumentPart):
    """When operators are alerted (S41, S42): so many declines in so many days are several, and what is unusual.

    An amount of `unusual_factor` times the mean of the account's payments, of which it has `unusual_payments_min`, is.
    What it says nothing of stays as it is.
    """

    failures_min: Annotated[int, Field(ge=2, le=1000)] | None = None
    failures_days: Annotated[int, Field(ge=1, le=365)] | None = None
    unusual_factor: Annotated[Decimal, Field(gt=1, le=9999, decimal_places=2)] | None = None
    unusual_payments_min: Annotated[int, Field(ge=1, le=12)] | None = None


class ReminderRule(DocumentPart):
    """How many days before and after the due date customers of a segment are reminded (S8, S21), or all others.

    A change makes a new version. Who is charged by card is reminded where `reminds_card_payers` says so.
    """

    segment: Annotated[str, Field(max_length=200)] = ""
    days_before: tuple[Day, ...] = (3,)
    days_after: tuple[Annotated[int, Field(ge=1, le=366)], ...] = (1, 7, 14)
    reminds_card_payers: bool = False

    @model_validator(mode="after")
    def _names_each_day_once(self) -> Self:
        for field in ("days_before", "days_after"):
            days = getattr(self, field)
            if len(set(days)) != len(days):
                raise ValueError(f"{field}: each day once")
        return self

    @property
    def id(self) -> str:
        """What distinguishes rules."""
        return self.segment


class RefundRulesPart(DocumentPart):
    """What is done about refunds; what it says nothing of stays as it is.

    One that succeeded is watched for `watch_days`, for it can still fail. `refunds_credit`: runs give credit balances
    back. `collects_reopened`: invoices that a returned payment leaves open are collected at once. `bank_day`: on that
    day of each month refunds by bank transfer are drafted for `bank_file`, and wait for a person; 0 is never.
    `late_payments`: what comes for a payment request that is over is kept on the account, or refunded by itself.
    """

    watch_days: Annotated[int, Field(ge=0, le=365)] | None = None
    collects_reopened: bool | None = None
    refunds_credit: bool | None = None
    bank_day: Annotated[int, Field(ge=0, le=28)] | None = None
    bank_file: FileFormat | None = None
    late_payments: Literal["keep", "refund"] | None = None


class ApprovalRulesPart(DocumentPart):
    """Up to which amount a day one person does something alone in the console; what is more, another person approves.

    Files for the bank are limited on the command line too: `refund_files` of refunds, `debit_files` of bank debits.
    Amounts are in major units by currency. Without any, everything is done alone; of a currency that is not named
    beside others nothing is. Nobody decides about what was asked for more than `expire_hours` ago. What it says
    nothing of stays as it is.
    """

    refunds: dict[Currency, str] | None = None
    write_offs: dict[Currency, str] | None = None
    cancellations: dict[Currency, str] | None = None
    refund_files: dict[Currency, str] | None = None
    debit_files: dict[Currency, str] | None = None
    expire_hours: Annotated[int, Field(ge=1, le=720)] | None = None

    @model_validator(mode="after")
    def _amounts_are_none_or_more(self) -> Self:
        for field, amounts in self._amounts().items():
            for code, minor in amounts.items():
                if minor < 0:
                    raise ValueError(f"{field}: {code} must be 0 or more")
        return self

    def stored(self) -> dict[str, Any]:
        """Return what it says, as the database keeps it: amounts in minor units."""
        amounts = {f"{field}_minor": amounts for field, amounts in self._amounts().items()}
        return amounts | ({} if self.expire_hours is None else {"expire_hours": self.expire_hours})

    def _amounts(self) -> dict[str, dict[str, int]]:
        given = {
            "refunds": self.refunds,
            "write_offs": self.write_offs,
            "cancellations": self.cancellations,
            "refund_files": self.refund_files,
            "debit_files": self.debit_files,
        }
        return {
            field: {code: Money.parse(text, code).amount_minor for code, text in amounts.items()}
            for field, amounts in given.items()
            if amounts is not None
        }
