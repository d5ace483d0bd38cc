"""The types of errors that clients meet, by workflow: a test finds each of them where it is raised."""

OF_EVERY_WORKFLOW = {
    "invalid_input": "a field is unknown, missing or of another type, or there are too few or too many arguments",
    "id_is_valid": "an id has characters or a length that no id of ours has",
    "ids_agree": "an id that is said twice is not the same",
    "workflow_id_is_natural": "the workflow's id does not follow from its input; the message names the one that does",
    "provider_exists": "the provider that a start names is not configured; the message names those that are",
    "given_by_duly_alone": "a field, or the workflow, is of Duly's own workflows alone",
    "CommandError": "an update makes no sense where the workflow stands, or says not who asks and why",
}

_PERIOD = {"period_is_a_month": "the period is not a month like 2026-11"}
_RUN = _PERIOD | {
    "period_is_due": "the month has not begun; `not_due_yet` runs it all the same",
    "run_definition_exists": "there is no run definition of this kind and name",
    "run_definition_effective": "the run definition is not effective",
    "one_run_a_period": "the period has its run already",
}

ERRORS: dict[str, dict[str, str]] = {
    "BackEndReduction": {
        "merchant_exists": "there is no such merchant",
        "merchant_effective": "the merchant takes no part now",
        "reductions_effective": "the merchant's reductions are switched off",
        "currency_of_merchant": "the award is in another currency than its merchant's",
        "amount_in_steps": "the gateway does not take so fine an amount of the currency",
        "award_limit": "the award is above the merchant's limit for one",
        "day_limit": "the merchant's limit for a day is reached",
        "customer_limit": "the limit for this customer and day is reached",
        "id_means_one_award": "the id was given to another award",
    },
    "BillingRun": _RUN,
    "CardLifecycle": {
        "account_exists": "there is no such account",
        "account_not_terminated": "the account is terminated",
        "provider_effective": "the provider is not effective",
        "card_id_is_free": "the card's id was given to another card",
        "token_is_new": "the gateway's token is of another card",
        "replaced_card_exists": "there is no card that it could replace",
        "nothing_wanted": "nothing is wanted from the card's holder, so there is no page",
        "outcome_is_unknown": "the attempt has an outcome already",
    },
    "Collection": {
        "period_is_a_month": "the period is not a month like 2026-11, with or without a suffix like 2026-11-order-4711",
        "account_exists": "there is no such account",
        "one_owner": "the receivable is being collected already, or was; another name is free",
        "invoices_at_most": "more invoices are named than one receivable holds",
        "provider_of_receivable": "the receivable is collected through another provider",
        "invoices_collectable": "an invoice is not of the account, settled, or being collected",
        "no_attempt_in_flight": "an attempt is under way, so nothing else may be done",
        "gateway_customer_exists": "the account's customer was deleted at the gateway, so no page is opened",
        "gateway_takes_it": "the gateway opens no page; the message has its code",
        "something_to_pay": "there is nothing to pay, so no page is opened",
        "evidence_is_of_this_attempt": "the gateway's id is of another payment",
    },
    "Dispute": {"payment_known": "the dispute is of no payment of ours"},
    "EventSweep": {},
    "GatewayMovements": {},
    "LedgerAudit": {},
    "Mailing": {},
    "ObjectCheck": {},
    "PaymentRun": _RUN
    | {
        "provider_effective": "the provider is not effective",
        "rate_not_changed": "the server does not limit task queues",
    },
    "PaymentRunShard": _PERIOD,
    "Reconciliation": {
        "day_is_due": "the day has not begun",
        "day_has_begun": "the day has not begun at the gateway",
        "provider_exists": "there is no such provider",
        "field_valid": "`young_minutes` is not within a day",
    },
    "Refund": {
        "payment_exists": "there is no such payment",
        "payment_through_gateway": "the payment did not go through a gateway of ours",
        "provider_of_payment": "the payment went through another provider",
        "payment_posted": "the payment is not posted",
        "payment_not_disputed": "the payment is disputed",
        "amount_in_steps": "the gateway does not take so fine an amount of the currency",
        "refund_within_captured": "more than is left of the payment",
        "no_refund_in_flight": "another refund of the payment is not certain yet",
        "something_is_left": "nothing is left of the payment",
        "credit_limit": "the account's credit limit would be exceeded, and nobody has acknowledged it",
        "id_means_one_request": "the id was given to another refund",
        "refund_exists": "there is no such refund",
        "outcome_is_unknown": "the attempt has an outcome already",
    },
    "RefundRun": {"day_is_due": "the day has not begun; `not_due_yet` runs it all the same"},
    "Reminders": {},
    "Supervisor": {},
    "ScheduledRun": {"time_zone_is_known": "the time zone is no IANA time zone"},
}
