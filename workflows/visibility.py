"""How operators find and recognise a workflow: ids, search attributes and summaries, in one place for all."""

from datetime import datetime

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

ACCOUNT = SearchAttributeKey.for_keyword("AccountId")
RUN = SearchAttributeKey.for_keyword("ProcessRunId")
PROVIDER = SearchAttributeKey.for_keyword("Provider")
STAGE = SearchAttributeKey.for_keyword("Stage")
DECLINE_CODE = SearchAttributeKey.for_keyword("DeclineCode")
GATEWAY_REFERENCE = SearchAttributeKey.for_keyword("GatewayReference")
REVIEW_REASON = SearchAttributeKey.for_keyword("ReviewReason")
CURRENCY = SearchAttributeKey.for_keyword("Currency")
CARD_BRAND = SearchAttributeKey.for_keyword("CardBrand")
AMOUNT_MINOR = SearchAttributeKey.for_int("AmountMinor")
NEXT_ACTION_AT = SearchAttributeKey.for_datetime("NextActionAt")
NEEDS_REVIEW = SearchAttributeKey.for_bool("NeedsReview")

# A server on SQL has ten slots for keywords and three of every other type: this registry stays within them.
SEARCH_ATTRIBUTES: tuple[
    SearchAttributeKey[str] | SearchAttributeKey[int] | SearchAttributeKey[datetime] | SearchAttributeKey[bool],
    ...,
] = (
    ACCOUNT,
    RUN,
    PROVIDER,
    STAGE,
    DECLINE_CODE,
    GATEWAY_REFERENCE,
    REVIEW_REASON,
    CURRENCY,
    CARD_BRAND,
    AMOUNT_MINOR,
    NEXT_ACTION_AT,
    NEEDS_REVIEW,
)

WORKFLOW_QUEUE = "duly"

# A queue and slots of its own: a mail server that hangs must not keep anything else waiting.
MAIL_QUEUE = "duly-mail"


def gateway_queue(provider: str) -> str:
    """The task queue of one provider's calls, so that one provider's trouble stays its own."""
    return f"duly-gateway-{provider}"


def billing_run_id(definition_id: str, period: str) -> str:
    """Natural id of a billing run."""
    return f"billing/{definition_id}/{period}"


def payment_run_id(definition_id: str, period: str) -> str:
    """Natural id of a payment run."""
    return f"run/{definition_id}/{period}"


def schedule_id(definition_id: str) -> str:
    """Id of the schedule of a run definition."""
    return f"schedule/{definition_id}"


def scheduled_run_id(definition_id: str) -> str:
    """Id of what a schedule starts; Temporal adds the scheduled moment."""
    return f"scheduled/{definition_id}"


def shadow_run_id(definition_id: str, period: str) -> str:
    """Natural id of a shadow run."""
    return f"shadow/{definition_id}/{period}"


def mailing_id(occasion: str) -> str:
    """Id of the sending that a run, or a message that a person sends again, is the occasion of."""
    return f"mailing/{occasion}"


def fairness_key(run_id: str) -> str:
    """What a run's calls share the provider's rate by. A key has at most 64 bytes; the end tells runs apart best."""
    return run_id[-64:]


def shard_id(run_id: str, shard: int) -> str:
    """Id of one shard of a run."""
    return f"{run_id}/shard-{shard:03d}"


def collection_id(account_id: str, period: str) -> str:
    """Natural id of the one owner of a receivable."""
    return f"collection/{account_id}/{period}"


def collect_activity_id(account_id: str, attempt: int) -> str:
    """Activity id on the timeline, so that an operator can name the payment to pause or reset."""
    return f"collect-{account_id}-{attempt}"


def known_at_start(*, run: str = "", account: str = "", provider: str = "") -> TypedSearchAttributes:
    """Search attributes that are given at the start: they cost no event."""
    given = {RUN: run, ACCOUNT: account, PROVIDER: provider}
    return TypedSearchAttributes([SearchAttributePair(key, value) for key, value in given.items() if value])
