"""The document in which a merchant configures Duly: its fields and rules, checked whole before anything is written."""

from dataclasses import fields
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, model_serializer, model_validator

from activities.configuration.document_parts.charge_document import ChargeRule
from activities.configuration.document_parts.creditor_document import CreditorPart
from activities.configuration.document_parts.fee_document import ApplicationFeePart
from activities.configuration.document_parts.layout_document import StatementLayoutPart
from activities.configuration.document_parts.ledger_document import (
    NONE,
    DueDateRule,
    InternalAccount,
    LedgerDefinition,
    TransactionReason,
    TransactionType,
)
from activities.configuration.document_parts.message_document import MessageRulesPart, MessageTemplate, SegmentPart
from activities.configuration.document_parts.rules_document import (
    AlertRulesPart,
    ApprovalRulesPart,
    CardNetwork,
    CardRulesPart,
    RefundRulesPart,
    ReminderRule,
)
from activities.configuration.document_parts.run_document import RunDefinition
from activities.configuration.document_parts.seller_document import SellerPart
from activities.configuration.document_parts.wallet_document import (
    VoucherType,
    WalletLimit,
    WalletTopUp,
    WalletTransactionType,
)
from activities.configuration.fields import GatewayCurrency, Id, MethodId, Name, SlugId, State, minor_of
from activities.documents import DocumentPart
from models.collections.dunning import DunningPolicy
from models.gateway.amounts import gateway_minimum

DUNNING = TypeAdapter(DunningPolicy)


class TaxRate(DocumentPart):
    """A tax, in percent."""

    id: Id
    name: Name
    percent: Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]
    active: bool = True
    # How EN 16931 calls it (UNTDID 5305): an electronic invoice needs it where nothing is charged.
    category: Literal["S", "Z", "E", "AE", "K", "G", "O"] | None = None
    exemption: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _category_goes_with_percent(self) -> Self:
        if self.category is not None and (self.category == "S") != (self.percent > 0):
            raise ValueError("category: S is charged, and no other category is")
        if self.category == "E" and not self.exemption:
            raise ValueError("exemption: say by which rule nothing is charged; it is printed")
        return self


class Product(DocumentPart):
    """What is sold, and the ledger account its net amounts go to: revenue of its own unless it is named."""

    id: Id
    name: Name
    product_line: str | None = None
    tax_rate: Id | None = None
    ledger_account: Annotated[
        str,
        Field(
            pattern=r"^((revenue|reward_expense|write_off)(:[!-~]+)?|wallet_clearing|voucher_clearing|wallet_top_ups)$"
        ),
    ] = ""
    active: bool = True

    @property
    def account(self) -> str:
        """The ledger account."""
        return self.ledger_account or f"revenue:{self.id}"


class PaymentMethod(DocumentPart):
    """A way to pay, and where the money is when no gateway handles it."""

    id: MethodId
    name: Name
    ledger_account: Annotated[
        str, Field(pattern=r"^((bank|cash|other_methods)(:[!-~]+)?|(wallet|voucher)_clearing)$")
    ] = "bank"
    active: bool = True


class Provider(DocumentPart):
    """A gateway account (G6, X9 to X15): its mode, the currencies it takes, and the payment methods it handles."""

    id: SlugId
    gateway: Literal["stripe", "sepa_debit"] = "stripe"
    mode: Literal["test", "live"]
    state: State = "effective"
    currencies: Annotated[tuple[GatewayCurrency, ...], Field(min_length=1)]
    minimums: dict[GatewayCurrency, str] = {}
    payment_methods: tuple[MethodId, ...] = ()
    # The merchant whose own account it is; without one it is the account of the key.
    merchant: SlugId | None = None
    # What the platform takes of payments on it; `none` takes a rule away, and without it the rule stays as it is.
    application_fee: ApplicationFeePart | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_fee(cls, given: object) -> object:
        is_taken_away = isinstance(given, dict) and given.get("application_fee") == NONE
        return {**given, "application_fee": None} if isinstance(given, dict) and is_taken_away else given

    @model_validator(mode="after")
    def _minimums_are_of_its_currencies(self) -> Self:
        for code, text in self.minimums.items():
            if code not in self.currencies:
                raise ValueError(f"minimums: {code} is not among the currencies")
            if minor_of(f"minimums.{code}", text, code) < gateway_minimum(code).amount_minor:
                raise ValueError(f"minimums.{code}: the gateway takes {gateway_minimum(code)} or more")
        return self

    @property
    def fee_stored(self) -> dict[str, Any] | None:
        """What the document says the platform takes; None where it says nothing of it."""
        if "application_fee" not in self.model_fields_set:
            return None
        return self.application_fee.rule.stored() if self.application_fee else {}

    def minimum_minor(self, code: str) -> int:
        """Return the least amount to charge: what the document says, else the gateway's own."""
        given = self.minimums.get(code)
        return minor_of(f"minimums.{code}", given, code) if given else gateway_minimum(code).amount_minor


class Policy(DocumentPart):
    """A dunning policy, for all accounts or for those of a segment; durations are written "3 days" or "PT6H".

    A change makes a new version; collections end under the one they began with.
    """

    segment: Annotated[str, Field(max_length=200)] = ""
    policy: DunningPolicy

    @model_validator(mode="before")
    @classmethod
    def _take_apart(cls, given: object) -> object:
        if not isinstance(given, dict) or isinstance(given.get("policy"), DunningPolicy):
            return given
        known = {field.name for field in fields(DunningPolicy)} - {"version"}
        if unknown := sorted(given.keys() - known - {"segment"}):
            raise ValueError(f"{unknown[0]} is no field of a dunning policy; it has {', '.join(sorted(known))}")
        if "id" not in given:
            raise ValueError("id is required")
        return {"segment": given.get("segment", ""), "policy": {k: v for k, v in given.items() if k != "segment"}}

    @model_serializer
    def _as_given(self) -> dict[str, Any]:
        """Return it as a document has it."""
        given = DUNNING.dump_python(self.policy, mode="json", exclude={"version"})
        return {**given, "segment": self.segment} if self.segment else given

    @property
    def id(self) -> str:
        """What distinguishes policies."""
        return f"{self.policy.id}/{self.segment}" if self.segment else self.policy.id


# Tables that a document may list whole: what it then does not name is taken away.
WholeTable = Literal[
    "tax_rates",
    "products",
    "payment_methods",
    "transaction_types",
    "transaction_reasons",
    "due_date_rules",
    "internal_accounts",
    "card_networks",
    "reminder_rules",
    "statement_layouts",
]


class DefinitionsDocument(DocumentPart):
    """The whole document. What it does not name stays as it is, but for the tables that it says it lists whole."""

    whole: tuple[WholeTable, ...] = ()
    tax_rates: tuple[TaxRate, ...] = ()
    products: tuple[Product, ...] = ()
    payment_methods: tuple[PaymentMethod, ...] = ()
    transaction_types: tuple[TransactionType, ...] = ()
    transaction_reasons: tuple[TransactionReason, ...] = ()
    due_date_rules: tuple[DueDateRule, ...] = ()
    ledger: LedgerDefinition | None = None
    internal_accounts: tuple[InternalAccount, ...] = ()
    providers: tuple[Provider, ...] = ()
    creditors: tuple[CreditorPart, ...] = ()
    statement_layouts: tuple[StatementLayoutPart, ...] = ()
    dunning_policies: tuple[Policy, ...] = ()
    card_rules: CardRulesPart | None = None
    card_networks: tuple[CardNetwork, ...] = ()
    charge_rules: tuple[ChargeRule, ...] = ()
    alert_rules: AlertRulesPart | None = None
    reminder_rules: tuple[ReminderRule, ...] = ()
    refund_rules: RefundRulesPart | None = None
    approval_rules: ApprovalRulesPart | None = None
    run_definitions: tuple[RunDefinition, ...] = ()
    segments: tuple[SegmentPart, ...] = ()
    message_templates: tuple[MessageTemplate, ...] = ()
    message_rules: MessageRulesPart | None = None
    sellers: tuple[SellerPart, ...] = ()
    wallet_transaction_types: tuple[WalletTransactionType, ...] = ()
    wallet_limits: tuple[WalletLimit, ...] = ()
    wallet_top_ups: tuple[WalletTopUp, ...] = ()
    voucher_types: tuple[VoucherType, ...] = ()

    @model_validator(mode="after")
    def _names_everything_once(self) -> Self:
        for field in type(self).model_fields:
            parts = getattr(self, field)
            if field == "whole" or not isinstance(parts, tuple):
                continue
            ids = [part.id for part in parts]
            if twice := sorted({id for id in ids if ids.count(id) > 1}):
                raise ValueError(f"{field}: {twice[0] or 'the rule of all segments'} is there twice")
        return self
