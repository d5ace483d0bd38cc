"""What a merchant configures: providers, preferences, cards, policies, run definitions."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Integer, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base

# The adapter of a provider whose answers come by files of a bank; every other one is Stripe's.
BANK_DEBITS = "sepa_debit"
EFFECTIVE = "effective"  # of providers and run definitions; the other state is not_effective


class ProviderRow(Base):
    """A configured gateway account (G6, X9)."""

    __tablename__ = "providers"

    id: Mapped[str] = mapped_column(primary_key=True)
    gateway: Mapped[str]
    mode: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime]
    merchant_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    gateway_account: Mapped[str | None] = mapped_column(Text(collation="C"))
    application_fee: Mapped[dict[str, Any]] = mapped_column(JSONB)
    platform_id: Mapped[str | None] = mapped_column(Text(collation="C"))


class ProviderCurrencyRow(Base):
    """A currency that a provider takes (X11), and the least it charges in it."""

    __tablename__ = "provider_currencies"

    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"), primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    minimum_minor: Mapped[int] = mapped_column(BigInteger)


class ProviderMethodRow(Base):
    """Which provider handles a payment method (X10)."""

    __tablename__ = "provider_methods"

    payment_method_id: Mapped[str] = mapped_column(ForeignKey("duly.payment_methods.id"), primary_key=True)
    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"))


class PaymentPreferenceRow(Base):
    """A way an account likes to pay (G3)."""

    __tablename__ = "payment_preferences"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("duly.accounts.id"))
    payment_method_id: Mapped[str] = mapped_column(ForeignKey("duly.payment_methods.id"))
    is_default: Mapped[bool]
    number: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]


class GatewayCustomerRow(Base):
    """The gateway's customer of an account (G7)."""

    __tablename__ = "gateway_customers"

    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("duly.accounts.id"), primary_key=True)
    customer_reference: Mapped[str]
    created_at: Mapped[datetime]


class CardRow(Base):
    """A stored card: a token and what a receipt may show (S3)."""

    __tablename__ = "cards"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("duly.accounts.id"))
    preference_id: Mapped[str] = mapped_column(ForeignKey("duly.payment_preferences.id"))
    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"))
    token: Mapped[str | None]
    brand: Mapped[str]
    last4: Mapped[str]
    exp_month: Mapped[int | None] = mapped_column(SmallInteger)
    exp_year: Mapped[int | None] = mapped_column(SmallInteger)
    fingerprint: Mapped[str]
    mandate_reference: Mapped[str]
    is_recurring: Mapped[bool]
    fallback_order: Mapped[int] = mapped_column(SmallInteger)
    replaces_id: Mapped[str | None] = mapped_column(ForeignKey("duly.cards.id"))
    state: Mapped[str]
    state_reason: Mapped[str]
    link_token: Mapped[str]
    decisions: Mapped[list[str]]
    created_at: Mapped[datetime]
    checked_at: Mapped[datetime]


class CardRulesRow(Base):
    """What is done about cards by itself."""

    __tablename__ = "card_rules"

    is_only: Mapped[bool] = mapped_column(primary_key=True)
    warn_days: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    stale_days: Mapped[int] = mapped_column(Integer)
    action_days: Mapped[int] = mapped_column(Integer)
    reminder_days: Mapped[int] = mapped_column(Integer)


class ApprovalRulesRow(Base):
    """Up to which amount, in minor units by currency, one person gives away alone, by kind."""

    __tablename__ = "approval_rules"

    is_only: Mapped[bool] = mapped_column(primary_key=True)
    refunds_minor: Mapped[dict[str, int]] = mapped_column(JSONB)
    write_offs_minor: Mapped[dict[str, int]] = mapped_column(JSONB)
    cancellations_minor: Mapped[dict[str, int]] = mapped_column(JSONB)
    refund_files_minor: Mapped[dict[str, int]] = mapped_column(JSONB)
    debit_files_minor: Mapped[dict[str, int]] = mapped_column(JSONB)
    credit_notes_minor: Mapped[dict[str, int]] = mapped_column(JSONB)
    payments_minor: Mapped[dict[str, int]] = mapped_column(JSONB)
    moves_minor: Mapped[dict[str, int]] = mapped_column(JSONB)
    suspense_moves_minor: Mapped[dict[str, int]] = mapped_column(JSONB)
    wallet_credits_minor: Mapped[dict[str, int]] = mapped_column(JSONB)
    vouchers_minor: Mapped[dict[str, int]] = mapped_column(JSONB)
    statements_minor: Mapped[dict[str, int]] = mapped_column(JSONB)
    disputes_minor: Mapped[dict[str, int]] = mapped_column(JSONB)
    changes_by_two: Mapped[bool]
    roles_minor: Mapped[dict[str, dict[str, dict[str, int]]]] = mapped_column(JSONB)
    expire_hours: Mapped[int] = mapped_column(Integer)


class CardNetworkRow(Base):
    """How often a network lets a declined card be tried again."""

    __tablename__ = "card_networks"

    brand: Mapped[str] = mapped_column(primary_key=True)
    declines_max: Mapped[int] = mapped_column(Integer)
    days: Mapped[int] = mapped_column(Integer)


class DunningPolicyRow(Base):
    """One version of a dunning policy."""

    __tablename__ = "dunning_policies"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    segment: Mapped[str] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]


class RunDefinitionRow(Base):
    """Criteria and calendar of a run (X16 to X21)."""

    __tablename__ = "run_definitions"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    state: Mapped[str]
    provider_id: Mapped[str | None] = mapped_column(ForeignKey("duly.providers.id"))
    currencies: Mapped[list[str]]
    dunning_policy_id: Mapped[str]
    schedule: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    shards: Mapped[int | None] = mapped_column(SmallInteger)
    window_size: Mapped[int | None] = mapped_column(SmallInteger)
    page_size: Mapped[int] = mapped_column(SmallInteger)
    notifies_customer: Mapped[bool]
    criteria: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]


class ConfigurationVersionRow(Base):
    """A document that changed the configuration, as it was applied."""

    __tablename__ = "configuration_versions"

    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    actor: Mapped[str]
    reason: Mapped[str]
    applied_at: Mapped[datetime]


class DefinitionChangeRow(Base):
    """What was changed of a part of the configuration, by whom and why."""

    __tablename__ = "definition_changes"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    definition_id: Mapped[str]
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    actor: Mapped[str]
    reason: Mapped[str]
    changed_at: Mapped[datetime]
    kind: Mapped[str]
    version: Mapped[int | None] = mapped_column(Integer, ForeignKey("duly.configuration_versions.version"))
    made_by: Mapped[str | None]


class SellerRow(Base):
    """Who is named as the seller of a document, with the brand; the one without a merchant is the house's."""

    __tablename__ = "sellers"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    merchant_id: Mapped[str | None] = mapped_column(Text(collation="C"), ForeignKey("duly.merchants.id"), unique=True)
    name: Mapped[str]
    street: Mapped[str]
    postal_code: Mapped[str]
    city: Mapped[str]
    country: Mapped[str]
    vat_id: Mapped[str] = mapped_column(server_default="")
    tax_number: Mapped[str] = mapped_column(server_default="")
    registration: Mapped[str] = mapped_column(server_default="")
    email: Mapped[str] = mapped_column(server_default="")
    phone: Mapped[str] = mapped_column(server_default="")
    iban: Mapped[str] = mapped_column(server_default="")
    bic: Mapped[str] = mapped_column(server_default="")
    color: Mapped[str] = mapped_column(server_default="#1f3a5f")
    logo: Mapped[str] = mapped_column(server_default="")
    attaches_documents: Mapped[bool] = mapped_column(server_default="true")
    background_color: Mapped[str] = mapped_column(server_default="")
    logo_url: Mapped[str] = mapped_column(server_default="")
    templates: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    tax_currency: Mapped[str] = mapped_column(server_default="")


class CreditorRow(Base):
    """Our side of the bank debits of a provider, whose id it has."""

    __tablename__ = "creditors"

    id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.providers.id"), primary_key=True)
    name: Mapped[str]
    iban: Mapped[str]
    bic: Mapped[str] = mapped_column(server_default="")
    creditor_identifier: Mapped[str]
    scheme: Mapped[str]
    version: Mapped[str]
    notice_days: Mapped[int] = mapped_column(SmallInteger)
    lead_days: Mapped[int] = mapped_column(SmallInteger)
    cut_off: Mapped[str]
    time_zone: Mapped[str]
    charges_limit: Mapped[str] = mapped_column(server_default="50.00")
    answer_days: Mapped[int] = mapped_column(SmallInteger, server_default="5")
    notice_by: Mapped[str] = mapped_column(server_default="invoice")
    late_notice: Mapped[str] = mapped_column(server_default="move")
