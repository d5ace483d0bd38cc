"""The tables of the document for wallets and vouchers: their types, and how much wallets may hold (F25, F161, F165)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from activities.configuration.document_parts.ledger_document import as_list
from activities.configuration.fields import Currency, Id, MethodId, Name, TypeId, minor_of
from activities.documents import DocumentPart
from models.gateway.amounts import charge_step, steps_text

LedgerAccountName = Annotated[str, Field(pattern=r"^(revenue|reward_expense|write_off)(:[!-~]+)?$")]


class WalletTransactionType(DocumentPart):
    """A type of wallet transactions, and what is posted with one.

    A credit invoices its `product` (whose ledger account is `wallet_clearing`), or is a present that `ledger_account`
    pays. A debit pays by `payment_method` (whose ledger account is `wallet_clearing`): the invoice of its `product` if
    it has one, else what the account owes; or it is booked to `ledger_account`, as expired credit is (`books_expiry`).
    `funded_by` names types of payments that credit the wallet by this type, `voided_by` types of payment cancellations
    that void such a credit again. A credit can be spent for `expires_after_days` days, or without an end.
    """

    id: TypeId
    name: Name
    direction: Literal["credit", "debit"]
    product: Id | None = None
    payment_method: MethodId | None = None
    ledger_account: LedgerAccountName | None = None
    expires_after_days: Annotated[int, Field(ge=1, le=36600)] | None = None
    books_expiry: bool = False
    funded_by: tuple[TypeId, ...] = ()
    voided_by: tuple[TypeId, ...] = ()
    active: bool = True

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        is_credit = self.direction == "credit"
        for field in ("expires_after_days", "funded_by", "voided_by"):
            if getattr(self, field) and not is_credit:
                raise ValueError(f"{field}: belongs to credits")
        if is_credit and self.payment_method is not None:
            raise ValueError("payment_method: belongs to debits, which pay by it")
        if (self.ledger_account is None) == (self.product is None and self.payment_method is None):
            what = "product" if is_credit else "payment_method"
            raise ValueError(f"ledger_account: it or {what}, one of them, says what is on the other side")
        if not is_credit and self.product is not None and self.payment_method is None:
            raise ValueError("payment_method: the invoice of the product is paid by one")
        if self.books_expiry and (is_credit or self.ledger_account is None):
            raise ValueError("books_expiry: is of a debit with a ledger_account")
        if (self.funded_by or self.voided_by) and self.product is None:
            raise ValueError("product: a payment funds the wallet by the invoice of one")
        return self

    def stored(self) -> dict[str, object]:
        """Return the type by the columns of the database."""
        names = {"product": "product_id", "payment_method": "payment_method_id", "active": "is_active"}
        return {names.get(field, field): as_list(value) for field, value in self.model_dump(exclude={"id"}).items()}


class WalletLimit(DocumentPart):
    """How much a wallet of a currency may hold, in major units."""

    currency: Currency
    maximum: str

    @model_validator(mode="after")
    def _is_an_amount(self) -> Self:
        if self.maximum_minor < 1:
            raise ValueError("maximum: is more than nothing")
        return self

    @property
    def id(self) -> str:
        """What distinguishes limits."""
        return self.currency

    @property
    def maximum_minor(self) -> int:
        """The limit in minor units."""
        return minor_of("maximum", self.maximum, self.currency)


class WalletTopUp(DocumentPart):
    """When runs top up the wallets of a currency, and by how much, in major units (X27).

    What can be spent of a wallet is less than `below`: a run with the criterion `wallet_top_ups` invoices `amount` by
    `product` (whose ledger account is `wallet_top_ups`), and when that is paid it is credited by `type`. In a calendar
    month of the account it is done `most_in_month` times. It is done for whom it was switched on; `for_all`: for every
    account that has a wallet and has not switched it off.
    """

    currency: Currency
    below: str
    amount: str
    most_in_month: Annotated[int, Field(ge=1, le=31)] = 4
    type: TypeId
    product: Id
    for_all: bool = False
    active: bool = True

    @model_validator(mode="after")
    def _are_amounts(self) -> Self:
        for field in ("below", "amount"):
            if minor_of(field, getattr(self, field), self.currency) < 1:
                raise ValueError(f"{field}: is more than nothing")
        if self.amount_minor % charge_step(self.currency):
            # What a card cannot be charged would stay open, and the wallet empty, for good.
            raise ValueError(f"amount: {steps_text(self.currency)}")
        return self

    @property
    def id(self) -> str:
        """What distinguishes rules of top-ups."""
        return self.currency

    @property
    def amount_minor(self) -> int:
        """What a top-up brings, in minor units."""
        return minor_of("amount", self.amount, self.currency)

    def stored(self) -> dict[str, object]:
        """Return the rule by the columns of the database."""
        return {
            "below_minor": minor_of("below", self.below, self.currency),
            "amount_minor": self.amount_minor,
            "most_in_month": self.most_in_month,
            "wallet_type_id": self.type,
            "product_id": self.product,
            "for_all": self.for_all,
            "is_active": self.active,
        }


class VoucherType(DocumentPart):
    """A type of vouchers, and what is posted with one.

    Vouchers with a `product` (whose ledger account is `voucher_clearing`) are invoiced to who buys them; those with a
    `ledger_account` are given away, and that pays for them. Each is redeemed by a payment with `payment_method` (whose
    ledger account is `voucher_clearing`), of `payment_type` or else of the default type. It can be redeemed for
    `expires_after_days` days, or without an end; what it is worth then goes to `breakage_account`.
    """

    id: TypeId
    name: Name
    product: Id | None = None
    ledger_account: LedgerAccountName | None = None
    payment_method: MethodId
    payment_type: TypeId | None = None
    expires_after_days: Annotated[int, Field(ge=1, le=36600)] | None = None
    breakage_account: LedgerAccountName = "revenue:breakage"
    active: bool = True

    @model_validator(mode="after")
    def _is_sold_or_given(self) -> Self:
        if (self.ledger_account is None) == (self.product is None):
            raise ValueError("ledger_account: it or product, one of them: vouchers are given away or sold")
        return self

    def stored(self) -> dict[str, object]:
        """Return the type by the columns of the database."""
        names = {
            "product": "product_id",
            "payment_method": "payment_method_id",
            "payment_type": "payment_type_id",
            "active": "is_active",
        }
        return {names.get(field, field): value for field, value in self.model_dump(exclude={"id"}).items()}
