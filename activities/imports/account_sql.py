"""What an import reads, and its statements: each takes a whole batch as JSON, and repeating one changes nothing."""

from sqlalchemy import Text, and_, case, cast, exists, func, or_, select, true

from models.cards.card import CardState
from models.gateway.gateway_request import RequestKind
from models.tables.accounts import AccountRow
from models.tables.collecting import CollectionRow, GatewayAttemptRow, GatewayRequestRow
from models.tables.configuration import CardRow, GatewayCustomerRow, PaymentPreferenceRow
from models.tables.subscriptions import AccountChangeRow, SubscriptionChangeRow, SubscriptionRow

# The columns after kind and state, and those of the next two, are in the order of the rows in models/imports.
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
_NEWEST = SubscriptionChangeRow
# The newest discount of a subscription: a share, or minor units; empty where it was taken away.
_DISCOUNT = (
    select(
        case(
            (_NEWEST.discount_percent > 0, func.concat(func.trim_scale(_NEWEST.discount_percent), "%")),
            (_NEWEST.discount_minor > 0, cast(_NEWEST.discount_minor, Text)),
            else_="",
        ).label("discount"),
        _NEWEST.discount_until,
    )
    .where(
        _NEWEST.subscription_id == SubscriptionRow.id,
        or_(_NEWEST.discount_percent.is_not(None), _NEWEST.discount_minor.is_not(None)),
    )
    .order_by(_NEWEST.from_on.desc(), _NEWEST.version.desc())
    .limit(1)
    .lateral("discount")
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
    case({1: "month", 3: "quarter"}, value=SubscriptionRow.term_months, else_="year").label("term"),
    select(_NEWEST.trial_ends_on)
    .where(_NEWEST.subscription_id == SubscriptionRow.id, _NEWEST.trial_ends_on.is_not(None))
    .order_by(_NEWEST.version.desc())
    .limit(1)
    .scalar_subquery()
    .label("trial_until"),
    func.coalesce(_DISCOUNT.c.discount, "").label("discount"),
    _DISCOUNT.c.discount_until,
).outerjoin(_DISCOUNT, true())
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
# What is billed by day from its first day on, as `subscriptions create` makes it.
CREATE_SUBSCRIPTIONS = """
    select count(duly.create_subscription(r.subscription_id, r.account_id, r.currency, r.change, :actor,
        'imported from a file'))
    from jsonb_to_recordset(:rows) as r (subscription_id text, account_id text, currency text, change jsonb)
"""
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
