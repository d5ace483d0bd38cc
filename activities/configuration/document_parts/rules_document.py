"""The tables of the document for what is done by itself: about cards, refunds, alerts, reminders; and of four eyes."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from activities.configuration.fields import Currency, minors_of
from activities.documents import DocumentPart
from models.bank.refund_plan import FileFormat
from models.console.roles import ConsoleRole, Permission, is_allowed

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


_Amounts = dict[Currency, str]
# What a limit of a role is of: whoever may not do it has none. Files are released by any user on the command line.
_PERMISSIONS: Mapping[str, Permission] = MappingProxyType(
    {
        "refunds": Permission.REFUND,
        "write_offs": Permission.WRITE_OFF,
        "cancellations": Permission.CORRECT,
        "refund_files": Permission.SEE,
        "debit_files": Permission.SEE,
        "credit_notes": Permission.CORRECT,
        "payments": Permission.DECIDE,
        "moves": Permission.CORRECT,
        "suspense_moves": Permission.CORRECT,
        "wallet_credits": Permission.SEE,
        "vouchers": Permission.CORRECT,
        "statements": Permission.CORRECT,
        "disputes": Permission.DECIDE,
    }
)


class LimitsPart(DocumentPart):
    """Up to which amount a day one person of a role does something alone; what it says nothing of is as for all."""

    refunds: _Amounts | None = None
    write_offs: _Amounts | None = None
    cancellations: _Amounts | None = None
    refund_files: _Amounts | None = None
    debit_files: _Amounts | None = None
    credit_notes: _Amounts | None = None
    payments: _Amounts | None = None
    moves: _Amounts | None = None
    suspense_moves: _Amounts | None = None
    wallet_credits: _Amounts | None = None
    vouchers: _Amounts | None = None
    statements: _Amounts | None = None
    disputes: _Amounts | None = None

    @model_validator(mode="after")
    def _amounts_are_none_or_more(self) -> Self:
        for field, amounts in self.amounts().items():
            for code, minor in amounts.items():
                if minor < 0:
                    raise ValueError(f"{field}: {code} must be 0 or more")
        return self

    def amounts(self) -> dict[str, dict[str, int]]:
        """Return the limits that are given, in minor units."""
        given: dict[str, _Amounts | None] = {name: getattr(self, name) for name in _PERMISSIONS}
        return {field: minors_of(field, amounts) for field, amounts in given.items() if amounts is not None}


class ApprovalRulesPart(LimitsPart):
    """Up to which amount a day one person gives away alone; what is more, another person approves.

    They hold in the database, for the console, the command line and updates of workflows. Kinds: `refunds`,
    `write_offs`, `cancellations`, `credit_notes`, `payments` by hand, `moves` between accounts, `suspense_moves` out of
    suspense, `wallet_credits` that nobody pays, `vouchers`, `statements` of the bank, `disputes` that are accepted;
    files for the bank are `refund_files` of refunds and `debit_files` of bank debits.
    Amounts are in major units by currency. Without any, everything is done alone; of a currency that is not named
    beside others nothing is. `roles` has limits of a role's own, which hold for its people instead of those for all;
    an agent writes off within `write_offs` of agents alone. Nobody decides about what was asked for more than
    `expire_hours` ago. With `changes_by_two` another person approves as well whatever loosens these rules, and whoever
    is made a user or given more rights. What it says nothing of stays as it is; roles are kept as they are given, all
    of them at once.
    """

    roles: dict[ConsoleRole, LimitsPart] | None = None
    expire_hours: Annotated[int, Field(ge=1, le=720)] | None = None
    changes_by_two: bool | None = None

    @model_validator(mode="after")
    def _roles_may(self) -> Self:
        for role, limits in (self.roles or {}).items():
            for field in limits.amounts():
                if not is_allowed(role, _PERMISSIONS[field]):
                    raise ValueError(f"roles.{role}.{field}: the role {role} may not do this, whatever the amount")
        return self

    def stored(self) -> dict[str, Any]:
        """Return what it says, as the database keeps it: amounts in minor units."""
        stored: dict[str, Any] = {f"{field}_minor": amounts for field, amounts in self.amounts().items()}
        if self.roles is not None:
            stored["roles_minor"] = {role.value: limits.amounts() for role, limits in self.roles.items()}
        others = {"expire_hours": self.expire_hours, "changes_by_two": self.changes_by_two}
        return stored | {name: value for name, value in others.items() if value is not None}
