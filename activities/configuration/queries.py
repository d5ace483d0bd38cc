"""What is configured, by the names of the definitions document: read only."""

from types import MappingProxyType

from sqlalchemy import and_, func, select
from sqlalchemy.dialects.postgresql import JSONB, distinct_on

from models.ledger.account import AccountKind
from models.tables.accounts import AccountRow, VoucherTypeRow, WalletLimitRow, WalletTopUpRuleRow, WalletTypeRow
from models.tables.configuration import (
    ApprovalRulesRow,
    CardNetworkRow,
    CardRulesRow,
    CreditorRow,
    DunningPolicyRow,
    ProviderCurrencyRow,
    ProviderMethodRow,
    ProviderRow,
    RunDefinitionRow,
    SellerRow,
)
from models.tables.fraud.charges import ChargeRuleRow
from models.tables.messages import (
    AlertRulesRow,
    MessageRulesRow,
    MessageTemplateRow,
    ReminderRulesRow,
    SegmentRow,
)
from models.tables.reference import (
    DefinitionRow,
    DueDateRuleRow,
    NumberSeriesRow,
    PaymentMethodRow,
    ProductRow,
    StatementLayoutRow,
    TaxRateRow,
    TransactionReasonRow,
    TransactionTypeRow,
)
from models.tables.returns import RefundRulesRow

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
        "tax_rates": select(
            TaxRateRow.id,
            TaxRateRow.name,
            TaxRateRow.percent,
            TaxRateRow.is_active,
            TaxRateRow.category,
            TaxRateRow.exemption,
        ).order_by(TaxRateRow.id),
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
            TransactionTypeRow.name,
            TransactionTypeRow.classification,
            TransactionTypeRow.alternative_code,
            TransactionTypeRow.description,
            TransactionTypeRow.allowed_methods.label("payment_methods"),
            TransactionTypeRow.allowed_categories.label("categories"),
            TransactionTypeRow.is_default,
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
        "transaction_reasons": select(
            TransactionReasonRow.id,
            TransactionReasonRow.name,
            TransactionReasonRow.purpose,
            TransactionReasonRow.is_active,
        ).order_by(TransactionReasonRow.purpose, TransactionReasonRow.id),
        "due_date_rules": select(
            DueDateRuleRow.id,
            DueDateRuleRow.number_of_days,
            DueDateRuleRow.day_of_month,
            DueDateRuleRow.after_months,
            DueDateRuleRow.proximity_operator,
            DueDateRuleRow.proximity_days,
            DueDateRuleRow.is_active,
        ).order_by(DueDateRuleRow.id),
        "ledger": select(
            DefinitionRow.due_date_rule_id.label("due_date_rule"),
            DefinitionRow.allocation_principle,
            DefinitionRow.write_off_product_id.label("write_off_product"),
        ),
        "internal_accounts": select(
            AccountRow.id, AccountRow.owner_name.label("name"), AccountRow.currency, AccountRow.state
        )
        .where(AccountRow.kind == AccountKind.INTERNAL)
        .order_by(AccountRow.id),
        "providers": select(
            ProviderRow.id,
            ProviderRow.gateway,
            ProviderRow.mode,
            ProviderRow.state,
            func.coalesce(ProviderRow.merchant_id, "").label("merchant"),
            _CURRENCIES.label("currencies"),
            ProviderRow.application_fee,
        ).order_by(ProviderRow.id),
        "dunning_policies": LATEST_POLICIES,
        "card_rules": select(
            CardRulesRow.warn_days, CardRulesRow.stale_days, CardRulesRow.action_days, CardRulesRow.reminder_days
        ),
        "card_networks": select(CardNetworkRow.brand, CardNetworkRow.declines_max, CardNetworkRow.days).order_by(
            CardNetworkRow.brand
        ),
        "charge_rules": select(
            *(ChargeRuleRow.id, ChargeRuleRow.currency, ChargeRuleRow.above_minor, ChargeRuleRow.first_above_minor),
            *(ChargeRuleRow.times_median, ChargeRuleRow.of_payments, ChargeRuleRow.payments_min),
            *(ChargeRuleRow.most_charges, ChargeRuleRow.most_minor, ChargeRuleRow.per, ChargeRuleRow.within_minutes),
            *(ChargeRuleRow.waits_for_person, ChargeRuleRow.is_active),
        ).order_by(ChargeRuleRow.id),
        "alert_rules": select(
            AlertRulesRow.failures_min,
            AlertRulesRow.failures_days,
            AlertRulesRow.unusual_factor,
            AlertRulesRow.unusual_payments_min,
        ),
        "reminder_rules": select(
            ReminderRulesRow.segment,
            ReminderRulesRow.version,
            ReminderRulesRow.days_before,
            ReminderRulesRow.days_after,
            ReminderRulesRow.reminds_card_payers,
        )
        .ext(distinct_on(ReminderRulesRow.segment))
        .order_by(ReminderRulesRow.segment, ReminderRulesRow.version.desc()),
        "refund_rules": select(
            RefundRulesRow.watch_days,
            RefundRulesRow.collects_reopened,
            RefundRulesRow.refunds_credit,
            RefundRulesRow.bank_day,
            RefundRulesRow.bank_file,
            RefundRulesRow.late_payments,
        ),
        "approval_rules": select(
            ApprovalRulesRow.refunds_minor,
            ApprovalRulesRow.write_offs_minor,
            ApprovalRulesRow.cancellations_minor,
            ApprovalRulesRow.refund_files_minor,
            ApprovalRulesRow.debit_files_minor,
            ApprovalRulesRow.credit_notes_minor,
            ApprovalRulesRow.payments_minor,
            ApprovalRulesRow.moves_minor,
            ApprovalRulesRow.suspense_moves_minor,
            ApprovalRulesRow.wallet_credits_minor,
            ApprovalRulesRow.vouchers_minor,
            ApprovalRulesRow.statements_minor,
            ApprovalRulesRow.disputes_minor,
            ApprovalRulesRow.roles_minor,
            ApprovalRulesRow.expire_hours,
            ApprovalRulesRow.changes_by_two,
        ),
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
        "segments": select(
            SegmentRow.id, SegmentRow.name, SegmentRow.about, SegmentRow.criteria, SegmentRow.is_active
        ).order_by(SegmentRow.id),
        "message_templates": select(
            MessageTemplateRow.id,
            MessageTemplateRow.name,
            MessageTemplateRow.about,
            MessageTemplateRow.attaches_documents,
            MessageTemplateRow.is_required,
            MessageTemplateRow.texts,
            MessageTemplateRow.is_active,
        ).order_by(MessageTemplateRow.id),
        "message_rules": select(
            MessageRulesRow.sends_invoices, MessageRulesRow.sends_bills, MessageRulesRow.confirms_payments
        ),
        "creditors": select(
            *(CreditorRow.id, CreditorRow.name, CreditorRow.iban, CreditorRow.bic, CreditorRow.creditor_identifier),
            *(CreditorRow.scheme, CreditorRow.version, CreditorRow.notice_days, CreditorRow.lead_days),
            *(CreditorRow.cut_off, CreditorRow.time_zone, CreditorRow.charges_limit, CreditorRow.answer_days),
            *(CreditorRow.notice_by, CreditorRow.late_notice),
        ).order_by(CreditorRow.id),
        "statement_layouts": select(StatementLayoutRow.id, StatementLayoutRow.document).order_by(StatementLayoutRow.id),
        "sellers": select(
            SellerRow.id,
            func.coalesce(SellerRow.merchant_id, "").label("merchant"),
            SellerRow.name,
            SellerRow.street,
            SellerRow.postal_code,
            SellerRow.city,
            SellerRow.country,
            SellerRow.vat_id,
            SellerRow.tax_number,
            SellerRow.registration,
            SellerRow.email,
            SellerRow.phone,
            SellerRow.iban,
            SellerRow.bic,
            SellerRow.color,
            SellerRow.logo,
            SellerRow.attaches_documents,
            SellerRow.background_color,
            SellerRow.logo_url,
            SellerRow.templates,
            SellerRow.tax_currency,
        ).order_by(SellerRow.id),
        "wallet_transaction_types": select(
            WalletTypeRow.id,
            WalletTypeRow.name,
            WalletTypeRow.direction,
            WalletTypeRow.product_id.label("product"),
            WalletTypeRow.payment_method_id.label("payment_method"),
            WalletTypeRow.ledger_account,
            WalletTypeRow.expires_after_days,
            WalletTypeRow.books_expiry,
            WalletTypeRow.funded_by,
            WalletTypeRow.voided_by,
            WalletTypeRow.is_active,
        ).order_by(WalletTypeRow.direction, WalletTypeRow.id),
        "wallet_limits": select(WalletLimitRow.currency, WalletLimitRow.maximum_minor).order_by(
            WalletLimitRow.currency
        ),
        "wallet_top_ups": select(
            WalletTopUpRuleRow.currency,
            WalletTopUpRuleRow.below_minor,
            WalletTopUpRuleRow.amount_minor,
            WalletTopUpRuleRow.most_in_month,
            WalletTopUpRuleRow.wallet_type_id.label("type"),
            WalletTopUpRuleRow.product_id.label("product"),
            WalletTopUpRuleRow.for_all,
            WalletTopUpRuleRow.is_active,
        ).order_by(WalletTopUpRuleRow.currency),
        "voucher_types": select(
            VoucherTypeRow.id,
            VoucherTypeRow.name,
            VoucherTypeRow.product_id.label("product"),
            VoucherTypeRow.ledger_account,
            VoucherTypeRow.payment_method_id.label("payment_method"),
            VoucherTypeRow.payment_type_id.label("payment_type"),
            VoucherTypeRow.expires_after_days,
            VoucherTypeRow.breakage_account,
            VoucherTypeRow.is_active,
        ).order_by(VoucherTypeRow.id),
    }
)
