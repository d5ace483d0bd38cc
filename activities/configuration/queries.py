"""What is configured, by the names of the definitions document: read only."""

from types import MappingProxyType

from sqlalchemy import and_, func, select
from sqlalchemy.dialects.postgresql import JSONB, distinct_on

from models.tables.configuration import (
    DunningPolicyRow,
    ProviderCurrencyRow,
    ProviderMethodRow,
    ProviderRow,
    RunDefinitionRow,
)
from models.tables.reference import NumberSeriesRow, PaymentMethodRow, ProductRow, TaxRateRow, TransactionTypeRow

_CURRENCIES = (
    select(
        func.coalesce(
            func.jsonb_object_agg(ProviderCurrencyRow.currency, ProviderCurrencyRow.minimum_minor, type_=JSONB),
            func.jsonb_build_object(),
        )
    )
    .where(ProviderCurrencyRow.provider_id == ProviderRow.id)
    .scalar_subquery()
)

LATEST_POLICIES = (
    select(DunningPolicyRow.id, DunningPolicyRow.segment, DunningPolicyRow.version, DunningPolicyRow.document)
    .ext(distinct_on(DunningPolicyRow.id, DunningPolicyRow.segment))
    .order_by(DunningPolicyRow.id, DunningPolicyRow.segment, DunningPolicyRow.version.desc())
)

LISTS = MappingProxyType(
    {
        "tax_rates": select(TaxRateRow.id, TaxRateRow.name, TaxRateRow.percent, TaxRateRow.is_active).order_by(
            TaxRateRow.id
        ),
        "products": select(
            ProductRow.id,
            ProductRow.name,
            ProductRow.product_line,
            ProductRow.tax_rate_id,
            ProductRow.ledger_account,
            ProductRow.is_active,
        ).order_by(ProductRow.id),
        "payment_methods": select(
            PaymentMethodRow.id,
            PaymentMethodRow.name,
            PaymentMethodRow.ledger_account,
            ProviderMethodRow.provider_id,
            PaymentMethodRow.is_active,
        )
        .outerjoin(ProviderMethodRow, ProviderMethodRow.payment_method_id == PaymentMethodRow.id)
        .order_by(PaymentMethodRow.id),
        "transaction_types": select(
            TransactionTypeRow.id,
            TransactionTypeRow.classification,
            TransactionTypeRow.number_prefix.label("prefix"),
            TransactionTypeRow.is_numbered_per_year.label("per_year"),
            NumberSeriesRow.is_gap_free.label("gap_free"),
            TransactionTypeRow.is_active,
        )
        .outerjoin(
            NumberSeriesRow,
            and_(
                NumberSeriesRow.prefix == TransactionTypeRow.number_prefix,
                NumberSeriesRow.is_per_year == TransactionTypeRow.is_numbered_per_year,
            ),
        )
        .order_by(TransactionTypeRow.classification, TransactionTypeRow.id),
        "providers": select(
            ProviderRow.id,
            ProviderRow.gateway,
            ProviderRow.mode,
            ProviderRow.state,
            func.coalesce(ProviderRow.merchant_id, "").label("merchant"),
            _CURRENCIES.label("currencies"),
        ).order_by(ProviderRow.id),
        "dunning_policies": LATEST_POLICIES,
        "run_definitions": select(
            RunDefinitionRow.id,
            RunDefinitionRow.kind,
            RunDefinitionRow.name,
            RunDefinitionRow.state,
            RunDefinitionRow.provider_id,
            RunDefinitionRow.currencies,
            RunDefinitionRow.dunning_policy_id,
            RunDefinitionRow.schedule,
            RunDefinitionRow.shards,
            RunDefinitionRow.window_size,
            RunDefinitionRow.page_size,
            RunDefinitionRow.notifies_customer,
            RunDefinitionRow.criteria,
        ).order_by(RunDefinitionRow.id),
    }
)
