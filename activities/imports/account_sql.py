"""What an import reads, and its statements: each takes a whole batch as JSON, and repeating one changes nothing."""

from sqlalchemy import and_, exists, func, or_, select

from models.cards.card import CardState
from models.gateway.gateway_request import RequestKind
from models.tables.accounts import AccountRow
from models.tables.collecting import CollectionRow, GatewayAttemptRow, GatewayRequestRow
from models.tables.configuration import CardRow, GatewayCustomerRow, PaymentPreferenceRow
from models.tables.subscriptions import AccountChangeRow, SubscriptionRow

# The columns after kind and state, and those of the next two, are in the order of the rows in models/imports/rows.py.
STORED_ACCOUNTS = select(
    AccountRow.kind,
    AccountRow.state,
    AccountRow.id,
    AccountRow.owner_name,
    AccountRow.currency,
    AccountRow.email,
    AccountRow.locale,
    AccountRow.time_zone,
    AccountRow.owner_reference,
    AccountRow.credit_limit_minor,
    AccountRow.credit_period_days,
    AccountRow.due_date_rule_id,
    AccountRow.region,
    AccountRow.segment,
    AccountRow.classification,
    select(PaymentPreferenceRow.payment_method_id)
    .where(PaymentPreferenceRow.account_id == AccountRow.id, PaymentPreferenceRow.is_default)
    .scalar_subquery()
    .label("payment_method"),
)
STORED_SUBSCRIPTIONS = select(
    SubscriptionRow.id.label("subscription_id"),
    SubscriptionRow.account_id,
    SubscriptionRow.product_id,
    SubscriptionRow.price_minor,
    SubscriptionRow.currency,
    SubscriptionRow.quantity,
    SubscriptionRow.billing_day,
    SubscriptionRow.starts_on,
    SubscriptionRow.ends_on,
)
STORED_CARDS = select(
    CardRow.account_id,
    GatewayCustomerRow.customer_reference.label("customer"),
    CardRow.token,
    CardRow.brand,
    CardRow.last4,
    CardRow.exp_month,
    CardRow.exp_year,
    CardRow.is_recurring,
    CardRow.fallback_order,
).outerjoin(
    GatewayCustomerRow,
    and_(GatewayCustomerRow.provider_id == CardRow.provider_id, GatewayCustomerRow.account_id == CardRow.account_id),
)
STORED_CUSTOMERS = select(GatewayCustomerRow.account_id, GatewayCustomerRow.customer_reference)


ADD_ACCOUNTS = """
    select count(duly.open_account(r.account_id, r.currency, r.owner_name, r.owner_reference, r.email, r.locale,
        r.time_zone, r.credit_limit_minor, r.credit_period_days, r.due_date_rule_id, r.region, r.segment,
        p_classification => r.classification))
    from jsonb_to_recordset(:rows) as r (account_id text, owner_name text, currency text, email text,
        locale text, time_zone text, owner_reference text, credit_limit_minor bigint, credit_period_days integer,
        due_date_rule_id text, region text, segment text, classification text)
"""
CHANGE_ACCOUNTS = """
    update duly.accounts a set owner_name = r.owner_name, email = r.email, locale = r.locale, time_zone = r.time_zone,
        owner_reference = r.owner_reference, credit_limit_minor = r.credit_limit_minor,
        credit_period_days = r.credit_period_days, due_date_rule_id = r.due_date_rule_id, region = r.region,
        segment = r.segment, classification = r.classification
    from jsonb_to_recordset(:rows) as r (account_id text, owner_name text, currency text, email text,
        locale text, time_zone text, owner_reference text, credit_limit_minor bigint, credit_period_days integer,
        due_date_rule_id text, region text, segment text, classification text) where a.id = r.account_id
"""
# The method that an account has already is not set again.
SET_METHODS = """
    select count(*) from jsonb_to_recordset(:rows) as r (account_id text, payment_method text)
    cross join lateral duly.set_preferred_method(r.account_id, r.payment_method, :actor, 'imported')
"""
# What is billed by day is changed from the first day on that is not billed.
ADD_SUBSCRIPTIONS = "select duly.import_subscriptions(:rows, :actor)"
# With their preferences and customers.
ADD_CARDS = "select duly.import_cards(:provider, :method, :rows, :actor)"
_LAST_CHECKED_AT = (
    select(func.greatest(CollectionRow.opened_at, func.max(GatewayAttemptRow.started_at)))
    .select_from(GatewayRequestRow)
    .join(GatewayAttemptRow, GatewayAttemptRow.request_id == GatewayRequestRow.id)
    .where(
        GatewayRequestRow.kind == RequestKind.PAYMENT,
        GatewayRequestRow.account_id == CollectionRow.account_id,
        GatewayRequestRow.period == CollectionRow.period,
    )
    .correlate(CollectionRow)
    .scalar_subquery()
)
# Accounts that are collected from, and came to have a card, other data of one or another method after the last attempt:
# nothing has looked at these. An attempt looks, so nobody is charged once more because a file is imported once more.
UNNOTICED = (
    select(CollectionRow.account_id)
    .distinct()
    .where(
        CollectionRow.closed_at.is_(None),
        or_(
            exists().where(
                CardRow.account_id == CollectionRow.account_id,
                CardRow.state == CardState.ACTIVE,
                CardRow.created_at > _LAST_CHECKED_AT,
            ),
            exists().where(
                AccountChangeRow.account_id == CollectionRow.account_id,
                AccountChangeRow.changed_at > _LAST_CHECKED_AT,
                or_(AccountChangeRow.changes.has_key("card"), AccountChangeRow.changes.has_key("payment_method")),
            ),
        ),
    )
)
