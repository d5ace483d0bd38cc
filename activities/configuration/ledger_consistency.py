"""What the ledger's tables of a document must agree with: what there is to refer to, and what is fixed for good."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activities.configuration.document import DefinitionsDocument
from activities.configuration.document_parts.ledger_document import NONE, TransactionType
from models.ledger.account import AccountKind
from models.ledger.number_series import BILLS, GAP_FREE_BY_DEFAULT, TRIED_OUT
from models.ledger.transaction import Classification
from models.problem import Problem

_METHODS_OF = frozenset({Classification.PAYMENT, Classification.REFUND})

# What is no transaction's number, or no kept one's.
_RESERVED = {BILLS.prefix: "bills", TRIED_OUT: "what is tried out and not kept"}


@dataclass(frozen=True)
class ConfiguredLedger:
    """What the ledger is configured with; of `accounts` those that a document names."""

    payment_methods: Sequence[str]
    products: Sequence[str]
    transaction_types: Mapping[str, str]
    transaction_reasons: Mapping[str, str]
    due_date_rules: Sequence[str]
    number_series: Sequence[Mapping[str, Any]]
    accounts: Mapping[str, Mapping[str, Any]]


def problems_of_ledger(document: DefinitionsDocument, known: ConfiguredLedger) -> Iterator[Problem]:
    """Yield everything in the ledger's tables that contradicts the document or the configuration."""
    kinds = classifications(document, known)
    yield from _problems_of_types(document, known, kinds)
    yield from _problems_of_numbers(document, known, kinds)
    for position, reason in enumerate(document.transaction_reasons):
        if (purpose := known.transaction_reasons.get(reason.id, reason.purpose)) != reason.purpose:
            problem = f"{reason.id!r} is a reason of {purpose}; take another id"
            yield Problem(f"transaction_reasons.{position}.purpose", "purpose_is_fixed", problem)
    yield from _problems_of_definition(document, known)
    for position, account in enumerate(document.internal_accounts):
        if (stored := known.accounts.get(account.id)) is None:
            continue
        place = f"internal_accounts.{position}"
        if stored["kind"] != AccountKind.INTERNAL:
            yield Problem(f"{place}.id", "account_is_internal", f"{account.id!r} is a {stored['kind']} account")
        elif stored["currency"] != account.currency:
            problem = f"{account.id!r} is kept in {stored['currency']}; open another account"
            yield Problem(f"{place}.currency", "currency_is_fixed", problem)
        elif stored["has_money"] and not account.active:
            problem = f"there is money on {account.id!r}, or an item of it is open"
            yield Problem(f"{place}.active", "system_account_empty", problem)


def classifications(document: DefinitionsDocument, known: ConfiguredLedger) -> dict[str, Classification]:
    """Return the classification of every type that there is or will be; what there is keeps its own."""
    new = {type.id: type.classification for type in document.transaction_types if type.classification}
    return {**new, **{id: Classification(stored) for id, stored in known.transaction_types.items()}}


def _problems_of_types(
    document: DefinitionsDocument, known: ConfiguredLedger, kinds: Mapping[str, Classification]
) -> Iterator[Problem]:
    methods = {*known.payment_methods, *(method.id for method in document.payment_methods)}
    defaults: dict[Classification, str] = {}
    for position, type in enumerate(document.transaction_types):
        place = f"transaction_types.{position}"
        if type.id not in known.transaction_types and None in {type.name, type.classification}:
            problem = f"there is no transaction type {type.id!r}; a new one has a name and a classification"
            yield Problem(f"{place}.id", "transaction_type_exists", problem)
            continue
        kind = kinds[type.id]
        if type.classification not in {None, kind}:
            problem = f"{type.id!r} is of the classification {kind}; take another id"
            yield Problem(f"{place}.classification", "classification_is_fixed", problem)
        yield from _problems_of_methods(f"{place}.payment_methods", type, kind, known, methods)
        if type.default and (other := defaults.setdefault(kind, type.id)) != type.id:
            problem = f"{other!r} is the default type of {kind} already; it has one"
            yield Problem(f"{place}.default", "one_default_type", problem)


def _problems_of_methods(
    place: str, type: TransactionType, kind: Classification, known: ConfiguredLedger, methods: set[str]
) -> Iterator[Problem]:
    if type.payment_methods is None:
        if kind in _METHODS_OF and type.id not in known.transaction_types:
            yield Problem(place, "payment_methods_given", f"a new type of {kind} allows at least one method")
        return
    if kind not in _METHODS_OF:
        yield Problem(place, "methods_of_classification", f"only payments and refunds have methods; this is a {kind}")
    for method in type.payment_methods:
        if method not in methods:
            yield Problem(place, "payment_method_exists", f"there is no payment method {method!r}")


def _problems_of_numbers(
    document: DefinitionsDocument, known: ConfiguredLedger, classification_of: Mapping[str, Classification]
) -> Iterator[Problem]:
    owners = {series["prefix"]: series["classification"] for series in known.number_series}
    owners.update(_RESERVED)
    kinds = {(series["prefix"], series["is_per_year"]): series["is_gap_free"] for series in known.number_series}
    for position, type in enumerate(document.transaction_types):
        place = f"transaction_types.{position}"
        if type.prefix is None or (classification := classification_of.get(type.id)) is None:
            continue
        if (owner := owners.setdefault(type.prefix, classification)) != classification:
            of = owner if type.prefix in _RESERVED else f"transactions of the classification {owner}"
            problem = f"{type.prefix} numbers {of}; take another prefix"
            yield Problem(f"{place}.prefix", "prefix_of_classification", problem)
        wanted = classification in GAP_FREE_BY_DEFAULT if type.gap_free is None else type.gap_free
        is_gap_free = kinds.setdefault((type.prefix, type.per_year), wanted)
        if type.gap_free is not None and type.gap_free != is_gap_free:
            kind = "without gaps" if is_gap_free else "with gaps"
            problem = f"the series {type.prefix} is {kind} and stays so; take another prefix"
            yield Problem(f"{place}.gap_free", "series_keeps_its_kind", problem)


def _problems_of_definition(document: DefinitionsDocument, known: ConfiguredLedger) -> Iterator[Problem]:
    if (ledger := document.ledger) is None:
        return
    rules = {*known.due_date_rules, *(rule.id for rule in document.due_date_rules)}
    if ledger.due_date_rule is not None and ledger.due_date_rule not in rules:
        problem = f"there is no due date rule {ledger.due_date_rule!r}"
        yield Problem("ledger.due_date_rule", "due_date_rule_exists", problem)
    products = {NONE, *known.products, *(product.id for product in document.products)}
    if ledger.write_off_product is not None and ledger.write_off_product not in products:
        yield Problem("ledger.write_off_product", "product_exists", f"there is no product {ledger.write_off_product!r}")
