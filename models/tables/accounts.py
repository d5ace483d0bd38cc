"""Accounts receivable, their balances, their wallets, and vouchers."""

from datetime import date, datetime

from sqlalchemy import ARRAY, BigInteger, ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.ledger.account import AccountKind, AccountState
from models.tables.base import Base, stored_as_text


class AccountRow(Base):
    """An account receivable, a customer's or the company's own."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    kind: Mapped[AccountKind] = mapped_column(server_default="customer")
    currency: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.currencies.code"))
    owner_name: Mapped[str]
    owner_reference: Mapped[str | None]
    email: Mapped[str | None]
    locale: Mapped[str] = mapped_column(server_default="en")
    time_zone: Mapped[str] = mapped_column(server_default="UTC")
    state: Mapped[AccountState] = mapped_column(stored_as_text(AccountState), server_default="active")
    credit_limit_minor: Mapped[int | None] = mapped_column(BigInteger)
    credit_period_days: Mapped[int | None]
    due_date_rule_id: Mapped[str | None] = mapped_column(Text(collation="C"), ForeignKey("duly.due_date_rules.id"))
    region: Mapped[str | None]
    segment: Mapped[str | None]
    classification: Mapped[str | None]
    created_at: Mapped[datetime]


class AccountBalanceRow(Base):
    """What an account owes, in minor units, after its newest posting. Its row is the account's lock."""

    __tablename__ = "account_balances"

    account_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.accounts.id"), primary_key=True)
    balance_minor: Mapped[int] = mapped_column(BigInteger, server_default="0")
    version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    posted_at: Mapped[datetime | None]


class PostalAddressRow(Base):
    """To whom an account's documents are made out; without a name it is the account's owner."""

    __tablename__ = "postal_addresses"

    account_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.accounts.id"), primary_key=True)
    name: Mapped[str] = mapped_column(server_default="")
    street: Mapped[str]
    addition: Mapped[str] = mapped_column(server_default="")
    postal_code: Mapped[str]
    city: Mapped[str]
    country: Mapped[str]
    vat_id: Mapped[str] = mapped_column(server_default="")
    reference: Mapped[str] = mapped_column(server_default="")


class WalletTypeRow(Base):
    """How a wallet is credited or debited, and what is posted with it."""

    __tablename__ = "wallet_transaction_types"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    name: Mapped[str]
    direction: Mapped[str]
    product_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    payment_method_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    ledger_account: Mapped[str | None] = mapped_column(Text(collation="C"))
    expires_after_days: Mapped[int | None]
    books_expiry: Mapped[bool] = mapped_column(server_default="false")
    funded_by: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    voided_by: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    is_active: Mapped[bool] = mapped_column(server_default="true")


class WalletLimitRow(Base):
    """How much a wallet of a currency may hold, in minor units."""

    __tablename__ = "wallet_limits"

    currency: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    maximum_minor: Mapped[int] = mapped_column(BigInteger)


class WalletTopUpRuleRow(Base):
    """When runs top up the wallets of a currency, by how much, and how often in a month; amounts in minor units."""

    __tablename__ = "wallet_top_up_rules"

    currency: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    below_minor: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    most_in_month: Mapped[int]
    wallet_type_id: Mapped[str] = mapped_column(Text(collation="C"))
    product_id: Mapped[str] = mapped_column(Text(collation="C"))
    for_all: Mapped[bool] = mapped_column(server_default="false")
    is_active: Mapped[bool] = mapped_column(server_default="true")


class WalletTopUpChoiceRow(Base):
    """Whether an account is topped up by itself, where it has chosen."""

    __tablename__ = "wallet_top_up_choices"

    account_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    is_on: Mapped[bool]


class WalletTopUpRow(Base):
    """A top-up that a run has asked for: requested, credited, or withdrawn; amounts in minor units."""

    __tablename__ = "wallet_top_ups"

    invoice_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    account_id: Mapped[str] = mapped_column(Text(collation="C"))
    run_id: Mapped[str] = mapped_column(Text(collation="C"))
    currency: Mapped[str] = mapped_column(Text(collation="C"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    wallet_type_id: Mapped[str] = mapped_column(Text(collation="C"))
    state: Mapped[str] = mapped_column(server_default="requested")
    credited_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    taken_back_minor: Mapped[int] = mapped_column(BigInteger, server_default="0")
    moves: Mapped[int] = mapped_column(BigInteger, server_default="0")
    requested_at: Mapped[datetime]


class WalletTransactionRow(Base):
    """A movement of a wallet, with the balance it left, in minor units."""

    __tablename__ = "wallet_transactions"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    number: Mapped[str] = mapped_column(Text(collation="C"))
    idempotency_key: Mapped[str] = mapped_column(Text(collation="C"))
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    account_id: Mapped[str] = mapped_column(Text(collation="C"))
    currency: Mapped[str] = mapped_column(Text(collation="C"))
    type_id: Mapped[str] = mapped_column(Text(collation="C"))
    direction: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    expires_on: Mapped[date | None]
    voids_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    transaction_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    made_invoice_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    funding_payment_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    wallet_version: Mapped[int] = mapped_column(BigInteger)
    balance_after_minor: Mapped[int] = mapped_column(BigInteger)
    actor: Mapped[str]
    reason: Mapped[str]
    made_by: Mapped[str]
    posted_on: Mapped[date]
    posted_at: Mapped[datetime]


class WalletUseRow(Base):
    """How much of a credit a debit has used, in minor units; what a void has given back is below zero."""

    __tablename__ = "wallet_uses"

    transaction_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    credit_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)


class VoucherTypeRow(Base):
    """How vouchers are sold or given away, redeemed, and when they end."""

    __tablename__ = "voucher_types"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    name: Mapped[str]
    product_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    ledger_account: Mapped[str | None] = mapped_column(Text(collation="C"))
    payment_method_id: Mapped[str] = mapped_column(Text(collation="C"))
    payment_type_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    expires_after_days: Mapped[int | None]
    breakage_account: Mapped[str] = mapped_column(Text(collation="C"), server_default="revenue:breakage")
    is_active: Mapped[bool] = mapped_column(server_default="true")


class VoucherBatchRow(Base):
    """Vouchers that were issued together: what each is worth, in minor units, and how many there are."""

    __tablename__ = "voucher_batches"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    number: Mapped[str] = mapped_column(Text(collation="C"))
    type_id: Mapped[str] = mapped_column(Text(collation="C"))
    account_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    currency: Mapped[str] = mapped_column(Text(collation="C"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    vouchers: Mapped[int]
    expires_on: Mapped[date | None]
    issued_at: Mapped[datetime]


class VoucherRow(Base):
    """A voucher, known by its number and by the hash of its code."""

    __tablename__ = "vouchers"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    number: Mapped[str] = mapped_column(Text(collation="C"))
    batch_id: Mapped[str] = mapped_column(Text(collation="C"))
    code_hash: Mapped[str] = mapped_column(Text(collation="C"))


class VoucherTransactionRow(Base):
    """Vouchers of a batch that were issued, redeemed, cancelled or have expired, in minor units."""

    __tablename__ = "voucher_transactions"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(Text(collation="C"))
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    batch_id: Mapped[str] = mapped_column(Text(collation="C"))
    kind: Mapped[str]
    currency: Mapped[str] = mapped_column(Text(collation="C"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    account_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    transaction_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    actor: Mapped[str]
    reason: Mapped[str]
    made_by: Mapped[str]
    posted_on: Mapped[date]
    posted_at: Mapped[datetime]


class VoucherEndRow(Base):
    """What has ended a voucher."""

    __tablename__ = "voucher_ends"

    voucher_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    transaction_id: Mapped[str] = mapped_column(Text(collation="C"))


class AccountDimensionRow(Base):
    """What an account was before it was changed, until the moment of the change."""

    __tablename__ = "account_dimensions"

    account_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    dimension: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str | None]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime] = mapped_column(primary_key=True)


class PortalLinkRow(Base):
    """A link by which a customer signs in to the portal, by the hash of what it ends in."""

    __tablename__ = "portal_links"

    token_hash: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    account_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.accounts.id"))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[str | None] = mapped_column(Text(collation="C"))


class PortalSessionRow(Base):
    """A customer's session, known by the hash of its token alone."""

    __tablename__ = "portal_sessions"

    token_hash: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    account_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.accounts.id"))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
