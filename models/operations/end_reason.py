"""Why a collection ended, as far as logs may say it: a closed set, for what people or gateways write may hold names."""

from enum import StrEnum


class EndReason(StrEnum):
    """The reasons that are ours. Everything else is `other`: it stays in the collection's row."""

    SETTLED = "settled"
    NOTHING_OWED = "nothing_owed"
    OPERATOR_GAVE_UP = "operator_gave_up"
    CANCELLED = "cancelled"
    CUSTOMER_DEADLINE_PASSED = "customer_deadline_passed"
    DECLINED = "declined"
    ATTEMPTS_USED_UP = "attempts_used_up"
    UNKNOWN_DECLINE_CODE = "unknown_decline_code"
    NO_CARD = "no_card"
    BELOW_MINIMUM = "below_minimum"
    AMOUNT_NOT_IN_STEPS = "amount_not_in_steps"
    ACCOUNT_TERMINATED = "account_terminated"
    ASKED_IN_PERIOD = "asked_in_period"
    ASKED_BY_LINK = "asked_by_link"
    IN_COLLECTION = "in_collection"
    REQUEST_CLOSED = "request_closed"
    PAYS_OTHERWISE = "pays_otherwise"
    OTHER = "other"


# A collection ends as pays_by_bank_transfer and the like: methods are named by whoever configures them.
_PAYS_BY = "pays_by_"
_OURS = {str(one): one for one in EndReason}


def end_reason(reason: str) -> EndReason:
    """Return what a log line says of the reason in a collection's row."""
    if reason.startswith(_PAYS_BY):
        return EndReason.PAYS_OTHERWISE
    return _OURS.get(reason, EndReason.OTHER)
