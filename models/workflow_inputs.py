"""What the input of a workflow must obey before it does anything: each problem names its field and its rule.

Types and unknown fields are refused while the input is read; here is what types cannot say.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models.bank.bank_refunds import BankRefundsRequest
from models.cards.card import CardRegistration, CardRequest
from models.collections.collection import INVOICES_AT_MOST, CollectionRequest
from models.disputes.dispute import DisputeRequest
from models.gateway.events import SweepRequest
from models.merchants.connection import ConnectionTerms, MerchantConnectionInput
from models.messages.message import MailingRequest
from models.payments.payment_request import PaymentRequestInput
from models.payments.request_terms import PaymentRequestTerms
from models.period import DUE_RULE, EARLIEST_CLOCK, RECEIVABLE_MEANING, RECEIVABLE_PATTERN, InvalidPeriodError
from models.problem import Problem
from models.reconciliation.reconciliation import ObjectCheckRequest, ReconciliationRequest
from models.reductions.reduction import Award, ReductionRequest
from models.refunds.refund import RefundOrder, RefundRequest
from models.reports.delivery import ReportDeliveryRequest
from models.runs.process_run import RunRequest, ScheduledRunRequest, ShardRequest
from models.runs.refund_run import RefundRunRequest
from models.runs.run_period import (
    DAY_MINUTES,
    MINUTES_LEAST,
    MINUTES_MEANING,
    RUN_PERIOD_MEANING,
    RUN_PERIOD_PATTERN,
    PeriodUnit,
    RunPeriod,
)

PERIOD_RULE = "period_is_a_month"
ID_RULE = "id_is_valid"
AGREE_RULE = "ids_agree"
TIME_ZONE_RULE = "time_zone_is_known"
DAY_RULE = "day_is_due"
INVOICES_RULE = "invoices_at_most"
AMOUNT_RULE = "amount_is_whole"
COUNTED_RULE = "period_is_counted"
SUPPLEMENT_RULE = "supplement_is_numbered"


# Of what was given so much is said again: enough to recognise it.
_QUOTED = 40


@dataclass(frozen=True)
class TextRule:
    """What a text must look like; `is_for_lists` when each text of a list must."""

    pattern: str
    meaning: str
    rule: str = ID_RULE
    is_for_lists: bool = False

    def is_kept_by(self, text: str) -> bool:
        """Say whether a text looks so."""
        return re.fullmatch(self.pattern, text) is not None


# Ids as the database has them. A gateway's own may be longer than ours.
_OURS = TextRule("[!-~]{1,64}", "1 to 64 printable characters without blanks")
_EACH = TextRule(_OURS.pattern, _OURS.meaning, is_for_lists=True)
_GATEWAYS = TextRule("[!-~]{1,255}", "1 to 255 printable characters without blanks")
_PROVIDER = TextRule("[a-z][a-z0-9_-]{0,31}", "a lower-case letter, then letters, digits, _ and -")
_DEFINITION = TextRule("[a-z0-9][a-z0-9_-]{0,63}", "lower-case letters, digits, _ and -")
_REFUND = TextRule("[a-z][A-Za-z0-9_.-]{2,60}", "a lower-case letter, then 2 to 60 letters, digits, _ . and -")
_AWARD = TextRule("[a-z][A-Za-z0-9_-]{2,39}", "a lower-case letter, then 2 to 39 letters, digits, _ and -")
_PAYMENT_REQUEST = TextRule("[A-Za-z][A-Za-z0-9_.-]{0,51}", "a letter, then up to 51 letters, digits, _ . and -")
_MONTH_PATTERN = "(?!0|9999)[0-9]{4}-(0[1-9]|1[0-2])"
_MONTH = TextRule(_MONTH_PATTERN, "a month like 2026-11", PERIOD_RULE)
_RUN_PERIOD = TextRule(RUN_PERIOD_PATTERN, RUN_PERIOD_MEANING, PERIOD_RULE)
_RECEIVABLE = TextRule(RECEIVABLE_PATTERN, RECEIVABLE_MEANING, PERIOD_RULE)

TEXT_RULES: Mapping[type, Mapping[str, TextRule]] = MappingProxyType(
    {
        Award: {"account_id": _OURS, "award_id": _AWARD, "payment_id": TextRule("[!-~]{0,64}", _OURS.meaning)},
        BankRefundsRequest: {"period": TextRule(f"({_MONTH_PATTERN})?", _MONTH.meaning, PERIOD_RULE)},
        CardRegistration: {"account_id": _OURS, "provider": _PROVIDER},
        CardRequest: {"card_id": _OURS, "provider": _PROVIDER},
        CollectionRequest: {
            "account_id": _OURS,
            "period": _RECEIVABLE,
            "provider": _PROVIDER,
            "invoices": _EACH,
        },
        DisputeRequest: {"dispute_id": _GATEWAYS, "provider": _PROVIDER},
        ConnectionTerms: {
            "country": TextRule("([A-Z]{2})?", "a country, such as DE"),
            "gateway_account": TextRule("(acct_[A-Za-z0-9]{1,240})?", "the gateway's id of an account"),
        },
        MailingRequest: {"run_id": TextRule("[!-~]{0,255}", _GATEWAYS.meaning)},
        MerchantConnectionInput: {"merchant_id": _PROVIDER, "provider": _PROVIDER},
        ObjectCheckRequest: {"object_id": _GATEWAYS, "provider": _PROVIDER},
        PaymentRequestInput: {"request_id": _PAYMENT_REQUEST, "provider": _PROVIDER},
        PaymentRequestTerms: {
            "account_id": _OURS,
            "invoices": _EACH,
            "currency": TextRule("([A-Z]{3})?", "a currency"),
        },
        ReconciliationRequest: {"provider": _PROVIDER},
        ReductionRequest: {"award_id": _AWARD, "provider": _PROVIDER},
        RefundOrder: {"refund_id": _REFUND, "payment_id": _OURS},
        RefundRequest: {"refund_id": _REFUND, "provider": _PROVIDER},
        RefundRunRequest: {"provider": _PROVIDER},
        ReportDeliveryRequest: {
            "schedule_id": _DEFINITION,
            "period": TextRule(f"({RUN_PERIOD_PATTERN})?", RUN_PERIOD_MEANING, PERIOD_RULE),
        },
        RunRequest: {"definition_id": _DEFINITION, "period": _RUN_PERIOD},
        ScheduledRunRequest: {"definition_id": _DEFINITION},
        ShardRequest: {"run_id": _GATEWAYS, "period": _MONTH, "provider": _PROVIDER},
        SweepRequest: {"provider": _PROVIDER},
    }
)


def problems_of_input(request: Any, now: datetime) -> list[Problem]:
    """Return everything that is wrong with an input whose types are right."""
    problems = list(_texts(request, ""))
    for name in _PARTS.get(type(request), ()):
        part = getattr(request, name)
        if part is not None:
            problems += _texts(part, f"{name}.")
            problems += _agreement(request, part, name)
    # What is no month at all is not asked whether it has begun.
    return problems or list(_RULES.get(type(request), _no_more)(request, now))


def quoted(text: str) -> str:
    """Return as much of what was given as is needed to recognise it."""
    return repr(text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…")


def _texts(holder: Any, place: str) -> Iterator[Problem]:
    for name, rule in TEXT_RULES.get(type(holder), {}).items():
        value = getattr(holder, name)
        for text in value if rule.is_for_lists else (value,):
            if not rule.is_kept_by(text):
                yield Problem(f"{place}{name}", rule.rule, f"{quoted(text)} is not {rule.meaning}")


def _agreement(request: Any, part: Any, name: str) -> Iterator[Problem]:
    """An id that is said twice is the same."""
    for field in _TWICE:
        if hasattr(part, field) and hasattr(request, field) and getattr(part, field) != getattr(request, field):
            problem = f"{quoted(getattr(part, field))} must be the same as {field}"
            yield Problem(f"{name}.{field}", AGREE_RULE, problem)


def _run(request: RunRequest, now: datetime) -> Iterator[Problem]:
    """A period that has not begun has to be asked for knowingly. A shadow closes none, a supplement follows its run."""
    try:
        period = RunPeriod.parse(request.period)
    except InvalidPeriodError as error:
        # The thirty-first of a short month, the 53rd week of a year that has 52.
        yield Problem("period", PERIOD_RULE, str(error).removeprefix("period: "))
        return
    if request.supplement < 0:
        yield Problem("supplement", SUPPLEMENT_RULE, "0 is the period's own run; supplements are numbered from 1")
    if request.supplement and request.is_shadow:
        yield Problem("supplement", SUPPLEMENT_RULE, "a shadow is of the whole period")
    if not (request.is_shadow or request.supplement or request.not_due_yet or period.has_begun(now)):
        problem = f"{period} begins on {period.starts_on}; not_due_yet runs it all the same"
        yield Problem("period", DUE_RULE, problem)


def _collection(request: CollectionRequest, _now: datetime) -> Iterator[Problem]:
    if len(request.invoices) > INVOICES_AT_MOST:
        problem = f"at most {INVOICES_AT_MOST:,} can be named; without any, all are collected, one part after the other"
        yield Problem("invoices", INVOICES_RULE, problem)
    if request.amount_minor < 0:
        yield Problem(
            "amount_minor", AMOUNT_RULE, f"{request.amount_minor} is less than nothing; 0 is all that is owed"
        )
    if bool(request.amount_minor) != bool(request.currency):
        yield Problem("currency", AMOUNT_RULE, "an amount has a currency, and all that is owed has none")
    if request.amount_minor and request.run_id:
        yield Problem("amount_minor", AMOUNT_RULE, "what a run collects is all that it planned")


def _refund_run(request: RefundRunRequest, now: datetime) -> Iterator[Problem]:
    if request.day is not None and not request.not_due_yet and request.day > (now + EARLIEST_CLOCK).date():
        yield Problem("day", DAY_RULE, f"{request.day} has not begun; not_due_yet runs it all the same")


def _bank_refunds(request: BankRefundsRequest, now: datetime) -> Iterator[Problem]:
    if request.period and not RunPeriod.parse(request.period).has_begun(now):
        yield Problem("period", DUE_RULE, f"{request.period} has not begun")


def _reconciliation(request: ReconciliationRequest, now: datetime) -> Iterator[Problem]:
    if request.day is not None and request.day > now.date():
        yield Problem("day", DAY_RULE, f"{request.day} has not begun")
    if not 0 <= request.young_minutes <= DAY_MINUTES:
        yield Problem("young_minutes", "field_valid", f"must be from 0 to {DAY_MINUTES}")


def _scheduled_run(request: ScheduledRunRequest, _now: datetime) -> Iterator[Problem]:
    try:
        ZoneInfo(request.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Problem("time_zone", TIME_ZONE_RULE, f"{quoted(request.time_zone)} is no IANA time zone")
    if request.every < 1:
        yield Problem("every", COUNTED_RULE, f"{request.every} is less than 1")
    if request.unit is PeriodUnit.MINUTES:
        if request.every < MINUTES_LEAST or DAY_MINUTES % request.every:
            yield Problem("every", COUNTED_RULE, MINUTES_MEANING)
    elif request.every > 1 and (request.counted_from is None or request.unit is PeriodUnit.MONTH):
        yield Problem("every", COUNTED_RULE, "every so many weeks or days are counted from a day, months are not")


def _no_more(_request: object, _now: datetime) -> Iterator[Problem]:
    return iter(())


# Parts of an input that have rules of their own, and the ids that a part says again.
_PARTS: Mapping[type, tuple[str, ...]] = MappingProxyType(
    {
        CardRequest: ("registration",),
        MerchantConnectionInput: ("terms",),
        PaymentRequestInput: ("terms",),
        ReductionRequest: ("award",),
        RefundRequest: ("order",),
    }
)
_TWICE = ("card_id", "refund_id", "award_id", "provider")

_RULES: Mapping[type, Callable[[Any, datetime], Iterator[Problem]]] = MappingProxyType(
    {
        BankRefundsRequest: _bank_refunds,
        CollectionRequest: _collection,
        ReconciliationRequest: _reconciliation,
        RefundRunRequest: _refund_run,
        RunRequest: _run,
        ScheduledRunRequest: _scheduled_run,
    }
)
