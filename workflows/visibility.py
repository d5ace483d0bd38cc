"""How operators find and recognise a workflow: search attributes and labels, in one place for all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict

from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from models.collections.collection import CollectionRequest
from models.gateway.amounts import books_text
from models.runs.process_run import RunKind, RunPlan, RunRequest

ACCOUNT = SearchAttributeKey.for_keyword("AccountId")
RUN = SearchAttributeKey.for_keyword("ProcessRunId")
PROVIDER = SearchAttributeKey.for_keyword("Provider")
STAGE = SearchAttributeKey.for_keyword("Stage")
DECLINE_CODE = SearchAttributeKey.for_keyword("DeclineCode")
GATEWAY_REFERENCE = SearchAttributeKey.for_keyword("GatewayReference")
REVIEW_REASON = SearchAttributeKey.for_keyword("ReviewReason")
DECLINE_CLASS = SearchAttributeKey.for_keyword_list("DeclineClass")
CURRENCY = SearchAttributeKey.for_keyword("Currency")
CARD_BRAND = SearchAttributeKey.for_keyword("CardBrand")
AMOUNT = SearchAttributeKey.for_keyword("Amount")
AMOUNT_MINOR = SearchAttributeKey.for_int("AmountMinor")
NEXT_ACTION_AT = SearchAttributeKey.for_datetime("NextActionAt")
UNKNOWN_SINCE = SearchAttributeKey.for_datetime("UnknownSince")
NEEDS_REVIEW = SearchAttributeKey.for_bool("NeedsReview")

# A server on SQL has ten slots for keywords, which are all taken, and three of every other type. The class
# of a decline is a list because lists have slots of their own, and because a receivable may have seen several. Moments
# are never taken back, for a client reads an attribute without a moment as an error: queries name the stage as well.
SEARCH_ATTRIBUTES: tuple[
    SearchAttributeKey[str]
    | SearchAttributeKey[Sequence[str]]
    | SearchAttributeKey[int]
    | SearchAttributeKey[datetime]
    | SearchAttributeKey[bool],
    ...,
] = (
    ACCOUNT,
    RUN,
    PROVIDER,
    STAGE,
    DECLINE_CODE,
    DECLINE_CLASS,
    GATEWAY_REFERENCE,
    REVIEW_REASON,
    CURRENCY,
    CARD_BRAND,
    AMOUNT,
    AMOUNT_MINOR,
    NEXT_ACTION_AT,
    UNKNOWN_SINCE,
    NEEDS_REVIEW,
)


class Label(TypedDict):
    """What a workflow is given at its start to be found and recognised by: it costs no event."""

    search_attributes: TypedSearchAttributes
    static_summary: str
    static_details: str


def run_label(kind: RunKind, request: RunRequest, run_id: str, *, provider: str = "") -> Label:
    """Label a billing run, a payment run, or its shadow."""
    name = "Shadow of payment" if request.is_shadow else kind.capitalize()
    return Label(
        search_attributes=known_at_start(run=run_id, provider=provider),
        static_summary=f"{name} run {request.definition_id}, {request.period}"
        + (f", supplement {request.supplement}" if request.supplement else ""),
        static_details=_SHADOW if request.is_shadow else _RUNS[kind],
    )


def shard_label(plan: RunPlan, shard: int) -> Label:
    """Label one shard of a payment run."""
    return Label(
        search_attributes=known_at_start(run=plan.run_id, provider=plan.provider),
        static_summary=f"Shard {shard + 1} of {plan.shards} of {plan.run_id}",
        static_details=_SHARD,
    )


def collection_label(request: CollectionRequest, summary: str = "") -> Label:
    """Label a collection: by account, amount and card where they are known already."""
    return Label(
        search_attributes=known_at_start(run=request.run_id, account=request.account_id, provider=request.provider),
        static_summary=summary or f"{request.account_id}, {request.period}, asked for by itself",
        static_details=_COLLECTION,
    )


def card_label(card_id: str, *, account: str = "", provider: str = "") -> Label:
    """Label a card's workflow."""
    return Label(
        search_attributes=known_at_start(account=account, provider=provider),
        static_summary=f"{card_id}{f' of {account}' if account else ''}",
        static_details=_CARD,
    )


def movements_label(provider: str) -> Label:
    """Label a look at a provider's movements."""
    return Label(
        search_attributes=known_at_start(provider=provider),
        static_summary=f"Books what {provider} has moved",
        static_details=_MOVEMENTS,
    )


def payment_request_label(request_id: str, *, account: str = "", provider: str = "") -> Label:
    """Label a payment request."""
    return Label(
        search_attributes=known_at_start(account=account, provider=provider),
        static_summary=f"{request_id}{f' of {account}' if account else ''}",
        static_details=_PAYMENT_REQUEST,
    )


def merchant_label(merchant_id: str, *, provider: str = "") -> Label:
    """Label a merchant's connection."""
    return Label(
        search_attributes=known_at_start(provider=provider),
        static_summary=merchant_id,
        static_details=_MERCHANT,
    )


def refund_label(refund_id: str, *, payment: str = "", account: str = "", provider: str = "") -> Label:
    """Label a refund or a payment cancellation."""
    return Label(
        search_attributes=known_at_start(account=account, provider=provider),
        static_summary=f"{refund_id}{f' of {payment}' if payment else ''}",
        static_details=_REFUND,
    )


def reduction_label(award_id: str, *, merchant: str = "", account: str = "") -> Label:
    """Label a back-end reduction."""
    return Label(
        search_attributes=known_at_start(account=account),
        static_summary=f"{award_id}{f' of {merchant} for {account}' if merchant else ''}",
        static_details=_REDUCTION,
    )


def dispute_label(dispute_id: str, *, provider: str = "") -> Label:
    """Label a dispute."""
    return Label(
        search_attributes=known_at_start(provider=provider), static_summary=dispute_id, static_details=_DISPUTE
    )


def object_check_label(object_id: str, *, provider: str = "") -> Label:
    """Label the look at an object of the gateway that nobody here has requested."""
    return Label(
        search_attributes=known_at_start(provider=provider), static_summary=object_id, static_details=_OBJECT_CHECK
    )


def refund_run_label(provider: str, day: str) -> Label:
    """Label a day's refunds."""
    return Label(
        search_attributes=known_at_start(provider=provider),
        static_summary=f"Refunds of {day} through {provider}",
        static_details=_REFUND_RUN,
    )


def bank_refunds_label(period: str) -> Label:
    """Label a month's refunds by bank transfer."""
    return Label(
        search_attributes=known_at_start(),
        static_summary=f"Refunds of {period} by bank transfer",
        static_details=_BANK_REFUNDS,
    )


def report_label(schedule_id: str, period: str) -> Label:
    """Label a report by a calendar."""
    return Label(
        search_attributes=known_at_start(),
        static_summary=f"Report {schedule_id} of {period}",
        static_details=_REPORT,
    )


def sweep_label(provider: str) -> Label:
    """Label a look through a provider's events that the supervisor has asked for."""
    return Label(
        search_attributes=known_at_start(provider=provider),
        static_summary=f"events of {provider} that were left waiting",
        static_details=_SWEEP,
    )


def mailing_label() -> Label:
    """Label a mailing of what was left in the outbox."""
    return Label(
        search_attributes=known_at_start(), static_summary="what was left in the outbox", static_details=_MAILING
    )


def amount_updates(amount_minor: int, currency: str) -> list[SearchAttributeUpdate[Any]]:
    """Return an amount three times: as a number to compare, its currency to search for, and as people read it."""
    return [
        AMOUNT_MINOR.value_set(amount_minor),
        CURRENCY.value_set(currency),
        AMOUNT.value_set(books_text(amount_minor, currency)),
    ]


def known_at_start(*, run: str = "", account: str = "", provider: str = "") -> TypedSearchAttributes:
    """Search attributes that are given at the start."""
    given = {RUN: run, ACCOUNT: account, PROVIDER: provider}
    return TypedSearchAttributes([SearchAttributePair(key, value) for key, value in given.items() if value])


_RUNS = {
    RunKind.BILLING: (
        "Posts an invoice for every subscription that is due in the period. What cannot be billed is parked with its"
        " reason, and the run goes on. Each invoice has its key: billing twice changes nothing."
    ),
    RunKind.PAYMENT: (
        "Charges everyone who is due in the period, once. Payments are on the timelines of the shards, under"
        " Relationships; what has to wait goes on as a `Collection`. The result is the certificate."
    ),
}
_SHADOW = (
    "The whole payment run against a gateway that does nothing, compared with the last certified run. Nobody is"
    " charged."
)
_SHARD = (
    "Collects from its share of the run's members, page by page; after each page it continues as new. Each bar on the"
    " timeline is a payment: account, amount, card. The run steers it."
)
_REFUND_RUN = "Sends what is due back: rewards, and accounts in credit. Each goes on as a `Refund`."
_BANK_REFUNDS = (
    "Drafts a refund for every account in credit, and asks a person to release the bank's file. Nothing is paid by it:"
    " the file is written by `refunds export`, and the bank's answer posts what was paid."
)
_REPORT = (
    "Writes a report for a period of its calendar, keeps the file, and lets it be mailed: once, whatever is repeated."
)
_SWEEP = "Looks through the gateway's own list of events, and delivers all that wait."
_MAILING = "Sends the messages that wait in the outbox, each once."
_COLLECTION = (
    "The one owner of a receivable that has to wait: declined, unknown, or in need of its customer. It ends when the"
    " receivable is settled or knowingly given up."
)
_CARD = (
    "Looks after one card: it is checked by the gateway, its holder is warned before it expires, and whoever collects"
    " hears of every change. It ends when the card is rejected, replaced or removed."
)
_MOVEMENTS = (
    "Reads what a provider's balance has moved, and books it: fees, and what was converted into another currency."
    " It ends when no event has come meanwhile."
)
_PAYMENT_REQUEST = (
    "Asks an account for a payment by a link, until it is paid, expires or is withdrawn. Its page is Stripe's; who has"
    " paid has paid, whenever it becomes known."
)
_MERCHANT = (
    "A merchant's own account at the gateway: its owner completes it on Stripe's pages, and what Stripe says of it is"
    " kept true. Nothing is asked for on it unless it is successful; it ends when the merchant is disconnected."
)
_REFUND = (
    "Gives money of a payment back, once. It is posted when the gateway has paid it, and watched afterwards: a refund"
    " that succeeded may still come back, and then new transactions undo it."
)
_REDUCTION = (
    "A reward's discount on its way to a customer who has paid the full price. Each part is a `Refund`; when one fails"
    " or comes back the next remedy is taken, and when the sale is returned what was granted is taken back."
)
_OBJECT_CHECK = (
    "A payment or refund at the gateway that nobody here has requested: made in its dashboard, or a second time. It is"
    " booked at once, or listed with what helps."
)
_DISPUTE = (
    "A cardholder's bank has taken a payment back, or asks about it. The money is held in an account of its own until"
    " the bank decides; until then nothing of the payment is refunded, and rewards that hang on it wait."
)
