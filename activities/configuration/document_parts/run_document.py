"""Run definitions as a document has them: whom they are about, and when they run."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from activities.configuration.fields import Currency, DefinitionId, MethodId, Name, SlugId, State, minors_of
from activities.documents import DocumentPart
from models.runs.process_run import RunKind
from models.runs.run_period import DAY_MINUTES, MINUTES_LEAST, MINUTES_MEANING
from models.runs.schedule import CALENDARS, calendar_of

# Nobody is charged for what is due in more than a year.
DUE_WITHIN_MOST = 366
# The years that Temporal's calendars know, but for their last.
CalendarDay = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2099, 12, 31))]
Label = Annotated[str, Field(min_length=1, max_length=200)]


class RunCriteria(DocumentPart):
    """Whom a payment run is about (X16, X26); what is left out of it does not limit it.

    Amounts are what the run would ask an account for, in major units by currency. `due_within_days` counts from the day
    of the run to the due date: 0 is due by that day. With `wallet_top_ups` the run asks for top-ups of wallets that are
    low (X27), and for nothing else; without it, for everything else.
    """

    segments: tuple[Label, ...] = ()
    classifications: tuple[Label, ...] = ()
    payment_methods: tuple[MethodId, ...] = ()
    minimum: dict[Currency, str] = {}
    maximum: dict[Currency, str] = {}
    due_within_days: Annotated[int, Field(ge=0, le=DUE_WITHIN_MOST)] | None = None
    wallet_top_ups: bool = False

    @model_validator(mode="after")
    def _top_ups_are_due_at_once(self) -> Self:
        if self.wallet_top_ups and self.due_within_days is not None:
            raise ValueError("due_within_days: a run that tops up wallets asks for them now, whenever they fall due")
        return self

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        for field, bounds in (("minimum", self.minimum), ("maximum", self.maximum)):
            for code, amount in minors_of(field, bounds).items():
                if amount <= 0:
                    raise ValueError(f"{field}: {code} must be more than 0")
        highest = minors_of("maximum", self.maximum)
        for code, lowest in minors_of("minimum", self.minimum).items():
            if lowest > highest.get(code, lowest):
                raise ValueError(f"maximum: {code} is less than the minimum")
        return self

    def stored(self) -> dict[str, Any]:
        """Return what limits the run, as the database keeps it: amounts in minor units."""
        everything = {
            "segments": list(self.segments),
            "classifications": list(self.classifications),
            "payment_methods": list(self.payment_methods),
            "minimum_minor": minors_of("minimum", self.minimum),
            "maximum_minor": minors_of("maximum", self.maximum),
        }
        given: dict[str, Any] = {name: value for name, value in everything.items() if value}
        if self.wallet_top_ups:
            given["wallet_top_ups"] = True
        return given if self.due_within_days is None else {**given, "due_within_days": self.due_within_days}


class Schedule(DocumentPart):
    """When a definition runs by itself (X21): in months, weeks or days at a local time, every so many minutes, or once.

    One of `day` (of each month, or of `months`), `weekday`, `every_days`, `every_minutes`, `on`. A day that a month
    lacks is its last.
    Every so many weeks or days are counted from `starts_on`, the first day; `ends_on` is the last one. Every so many
    minutes divide a day, and are counted from its midnight in UTC: they have no hour.
    """

    day: Annotated[int, Field(ge=1, le=31)] | None = None
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] | None = None
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] | None = None
    every_weeks: Annotated[int, Field(ge=1, le=52)] | None = None
    every_days: Annotated[int, Field(ge=1, le=366)] | None = None
    every_minutes: Annotated[int, Field(ge=MINUTES_LEAST, le=DAY_MINUTES // 2)] | None = None
    on: CalendarDay | None = None
    hour: Annotated[int, Field(ge=0, le=23)] | None = None
    minute: Annotated[int, Field(ge=0, le=59)] = 0
    time_zone: str
    starts_on: CalendarDay | None = None
    ends_on: CalendarDay | None = None

    @model_validator(mode="after")
    def _is_one_calendar(self) -> Self:
        given = [field for field in CALENDARS if getattr(self, field) is not None]
        if len(given) != 1:
            raise ValueError(
                f"exactly one of {', '.join(CALENDARS)} says when; {' and '.join(given) or 'none'} is given"
            )
        for field, of in (("months", "day"), ("every_weeks", "weekday")):
            if getattr(self, field) is not None and given != [of]:
                raise ValueError(f"{field}: belongs to {of}")
        if self.months is not None and (not self.months or sorted(set(self.months)) != list(self.months)):
            raise ValueError("months: one at least, each once, in their order")
        if self.on is not None and (self.starts_on or self.ends_on):
            raise ValueError("on: what runs once has no first and no last day")
        if max(self.every_weeks or 1, self.every_days or 1) > 1 and self.starts_on is None:
            raise ValueError("starts_on: the first day, which the others are counted from, is required")
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError("ends_on: is before starts_on")
        return self

    @model_validator(mode="after")
    def _has_its_hour(self) -> Self:
        if self.every_minutes is not None:
            if DAY_MINUTES % self.every_minutes:
                raise ValueError(f"every_minutes: {MINUTES_MEANING}")
            if self.hour is not None or self.minute:
                raise ValueError("hour: every so many minutes are counted from midnight in UTC, and have no hour")
        elif self.hour is None:
            raise ValueError("hour: is required, at which hour of the day it runs")
        if (calendar := calendar_of(self.stored())) is not None:
            calendar.require_its_time()
        return self

    def stored(self) -> dict[str, Any]:
        """Return the schedule as the database keeps it: what is given."""
        given = self.model_dump(mode="json", exclude_none=True)
        return given if self.every_minutes is None else {name: given[name] for name in given if name != "minute"}

    @property
    def is_monthly(self) -> bool:
        """Whether it runs in every month, as billing does."""
        return self.day is not None and self.months is None


class RunDefinition(DocumentPart):
    """The criteria and the calendar of a run (X16 to X21).

    What says nothing of its schedule or its state keeps what it has; `schedule = "none"` takes the schedule away.
    """

    id: DefinitionId
    kind: RunKind
    name: Name
    state: State = "effective"
    provider: SlugId | None = None
    currencies: tuple[Currency, ...] = ()
    dunning_policy: SlugId = "standard"
    shards: Annotated[int, Field(ge=1, le=64)] | None = None
    window: Annotated[int, Field(ge=1, le=500)] | None = None
    page: Annotated[int, Field(ge=1, le=1000)] = 250
    notifies_customer: bool = True
    criteria: RunCriteria = RunCriteria()
    schedule: Schedule | None = None

    @property
    def keeps_schedule(self) -> bool:
        """Whether the document says nothing of when it runs."""
        return "schedule" not in self.model_fields_set

    @property
    def keeps_state(self) -> bool:
        """Whether the document leaves the state to `definitions switch`."""
        return "state" not in self.model_fields_set

    @model_validator(mode="before")
    @classmethod
    def _without_schedule(cls, given: object) -> object:
        is_taken_away = isinstance(given, dict) and given.get("schedule") == "none"
        return {**given, "schedule": None} if isinstance(given, dict) and is_taken_away else given

    @model_validator(mode="after")
    def _has_the_provider_of_its_kind(self) -> Self:
        if (self.kind is RunKind.PAYMENT) != (self.provider is not None):
            raise ValueError("provider: a payment run needs one, a billing run has none")
        if self.kind is RunKind.BILLING and self.criteria.stored():
            raise ValueError("criteria: a billing run bills every subscription; only a payment run has them")
        if self.kind is RunKind.BILLING and self.schedule is not None and not self.schedule.is_monthly:
            raise ValueError("schedule: billing periods are months; a billing run has a day of every month")
        return self
