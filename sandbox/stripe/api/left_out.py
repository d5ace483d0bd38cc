"""Fields that Stripe leaves out while there is nothing to say, where others are sent as null.

The SDK calls both kinds optional; Stripe's OpenAPI tells them apart: a field that is neither required nor nullable is
never null. `tests/sandbox/openapi/test_openapi.py` compares this table with it.
"""

LEFT_OUT: dict[str, frozenset[str]] = {
    "Account": frozenset(
        {"capabilities", "company", "controller", "future_requirements", "individual", "requirements", "tos_acceptance"}
    ),
    "Balance": frozenset({"connect_reserved", "instant_available", "issuing", "refund_and_dispute_prefunding"}),
    "Charge": frozenset({"authorization_code", "level3", "presentment_details", "radar_options", "source", "transfer"}),
    "Charge.Outcome": frozenset({"risk_level", "risk_score", "rule"}),
    "Charge.PaymentMethodDetails.Card": frozenset(
        {
            "capture_before",
            "description",
            "electronic_commerce_indicator",
            "extended_authorization",
            "iin",
            "incremental_authorization",
            "issuer",
            "moto",
            "multicapture",
            "overcapture",
            "setup_credential_usage",
            "stored_credential_usage",
            "transaction_link_id",
        }
    ),
    "Customer": frozenset({"business_name", "individual_name", "invoice_credit_balance", "tax"}),
    "Dispute": frozenset({"intended_submission_method", "network_reason_code", "payment_method_details"}),
    "Dispute.Evidence": frozenset({"appeal"}),
    "Event": frozenset({"account", "context"}),
    "Mandate": frozenset({"on_behalf_of"}),
    "PaymentIntent": frozenset(
        {
            "allowed_payment_method_types",
            "amount_details",
            "hooks",
            "payment_details",
            "payment_record",
            "presentment_details",
            "source",
        }
    ),
    "PaymentMethod": frozenset({"radar_options"}),
    "PaymentMethod.Card": frozenset({"description", "iin", "issuer"}),
    "Refund": frozenset(
        {
            "description",
            "destination_details",
            "failure_balance_transaction",
            "failure_reason",
            "instructions_email",
            "next_action",
            "pending_reason",
            "presentment_details",
        }
    ),
    "Session": frozenset(
        {
            "allowed_payment_method_types",
            "branding_settings",
            "excluded_payment_method_types",
            "name_collection",
            "phone_number_collection",
            "presentment_details",
            "redirect_on_completion",
            "return_url",
            "tax_id_collection",
        }
    ),
    "SetupAttempt": frozenset({"attach_to_self"}),
    "SetupIntent": frozenset({"allowed_payment_method_types", "attach_to_self"}),
    "Transfer": frozenset({"destination_payment", "source_type"}),
    "WebhookEndpoint": frozenset({"secret"}),
}
