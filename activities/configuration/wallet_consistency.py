"""What the tables of wallets and vouchers must agree with: products, methods and types."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activities.configuration.document import DefinitionsDocument
from activities.configuration.document_parts.wallet_document import WalletTransactionType
from models.ledger.transaction import Classification
from models.problem import Problem

CLEARING, VOUCHERS, TOP_UPS = "wallet_clearing", "voucher_clearing", "wallet_top_ups"
# Duly posts payments of these types by itself.
_OWN_TYPES = frozenset({"payment_kept", "refund_returned"})


@dataclass(frozen=True)
class ConfiguredWallets:
    """What wallets may refer to, by id: a product's and a method's ledger account, a type's classification."""

    products: Mapping[str, Mapping[str, Any]]
    payment_methods: Mapping[str, str]
    transaction_types: Mapping[str, str]
    types: Mapping[str, Mapping[str, Any]]
    sold_vouchers: Mapping[str, bool]


def problems_of_wallets(document: DefinitionsDocument, stored: ConfiguredWallets) -> Iterator[Problem]:
    """Yield everything in the wallets' tables that contradicts the document or the configuration."""
    known = _with(document, stored)
    named = {type.id for type in document.wallet_transaction_types}
    expiry = [id for id, type in stored.types.items() if type["is_expiry"] and id not in named]
    expiry += [type.id for type in document.wallet_transaction_types if type.books_expiry and type.active]
    funded = {id: type["funded_by"] for id, type in stored.types.items() if id not in named}
    funded |= {type.id: type.funded_by for type in document.wallet_transaction_types if type.active}
    for position, type in enumerate(document.wallet_transaction_types):
        place = f"wallet_transaction_types.{position}"
        if stored.types.get(type.id, {"direction": type.direction})["direction"] != type.direction:
            problem = f"{type.id!r} is of the other direction; take another id"
            yield Problem(f"{place}.direction", "direction_is_fixed", problem)
        yield from _problems_of_other_side(place, type, known)
        yield from _problems_of_triggers(place, type, known)
        yield from _problems_of_shared_triggers(place, type, funded)
        if type.books_expiry and type.active and expiry != [type.id]:
            problem = f"{', '.join(id for id in expiry if id != type.id)} books it already"
            yield Problem(f"{place}.books_expiry", "one_type_of_expiry", problem)
        if type.expires_after_days is not None and not expiry:
            problem = "no type books what expires: give one `books_expiry = true`"
            yield Problem(f"{place}.expires_after_days", "wallet_expiry_type", problem)


def problems_of_top_ups(document: DefinitionsDocument, stored: ConfiguredWallets) -> Iterator[Problem]:
    """Yield everything in the rules of top-ups that contradicts the document or the configuration."""
    known = _with(document, stored)
    named = {type.id: type for type in document.wallet_transaction_types}
    limits = {limit.currency: limit for limit in document.wallet_limits}
    for position, rule in enumerate(document.wallet_top_ups):
        place = f"wallet_top_ups.{position}"
        product, type = known.products.get(rule.product), named.get(rule.type)
        if product is None:
            yield Problem(f"{place}.product", "product_exists", f"there is no product {rule.product!r}")
        elif product["account"] != TOP_UPS or product["tax_rate"] is not None:
            problem = (
                f"the ledger account of {rule.product!r} must be {TOP_UPS}, without a tax: it is taxed when it is spent"
            )
            yield Problem(f"{place}.product", "product_of_top_ups", problem)
        known_type = known.types.get(rule.type)
        direction = type.direction if type else known_type["direction"] if known_type else None
        if direction != "credit":
            problem = f"there is no wallet transaction type {rule.type!r} of credits"
            yield Problem(f"{place}.type", "wallet_type_exists", problem)
        elif (type.product if type else known_type and known_type["product"]) is None:
            problem = f"{rule.type!r} gives presents; a top-up is paid for"
            yield Problem(f"{place}.type", "wallet_type_is_invoiced", problem)
        limit = limits.get(rule.currency)
        if limit is not None and rule.active and rule.amount_minor > limit.maximum_minor:
            problem = f"{rule.amount} is more than a wallet of {rule.currency} holds, {limit.maximum}"
            yield Problem(f"{place}.amount", "wallet_limit", problem)


def problems_of_vouchers(document: DefinitionsDocument, stored: ConfiguredWallets) -> Iterator[Problem]:
    """Yield everything in the vouchers' table that contradicts the document or the configuration."""
    known = _with(document, stored)
    for position, type in enumerate(document.voucher_types):
        place = f"voucher_types.{position}"
        if known.sold_vouchers.get(type.id, type.product is not None) != (type.product is not None):
            problem = f"{type.id!r} is {'given away' if type.product else 'sold'}; take another id"
            yield Problem(f"{place}.product", "side_is_fixed", problem)
        product = known.products.get(type.product or "")
        if type.product is not None and product is None:
            yield Problem(f"{place}.product", "product_exists", f"there is no product {type.product!r}")
        elif product is not None and (product["account"] != VOUCHERS or product["tax_rate"] is not None):
            problem = (
                f"the ledger account of {type.product!r} must be {VOUCHERS}, without a tax: what is bought is taxed"
            )
            yield Problem(f"{place}.product", "product_of_vouchers", problem)
        account = known.payment_methods.get(type.payment_method)
        if account is None:
            problem = f"there is no payment method {type.payment_method!r}"
            yield Problem(f"{place}.payment_method", "payment_method_exists", problem)
        elif account != VOUCHERS:
            problem = f"the ledger account of {type.payment_method!r} must be {VOUCHERS}"
            yield Problem(f"{place}.payment_method", "method_of_vouchers", problem)
        named = type.payment_type
        if named and (known.transaction_types.get(named) != Classification.PAYMENT or named in _OWN_TYPES):
            problem = f"there is no transaction type {named!r} of payments that people use"
            yield Problem(f"{place}.payment_type", "transaction_type_exists", problem)


def _with(document: DefinitionsDocument, stored: ConfiguredWallets) -> ConfiguredWallets:
    new = {product.id: {"account": product.account, "tax_rate": product.tax_rate} for product in document.products}
    methods = {method.id: method.ledger_account for method in document.payment_methods}
    types = {type.id: type.classification for type in document.transaction_types if type.classification}
    return ConfiguredWallets(
        {**stored.products, **new},
        {**stored.payment_methods, **methods},
        {**types, **stored.transaction_types},
        stored.types,
        stored.sold_vouchers,
    )


def _problems_of_other_side(place: str, type: WalletTransactionType, known: ConfiguredWallets) -> Iterator[Problem]:
    if type.product is not None:
        product = known.products.get(type.product)
        if product is None:
            yield Problem(f"{place}.product", "product_exists", f"there is no product {type.product!r}")
        elif (type.direction == "credit") != (product["account"] == CLEARING):
            whose = "must be" if type.direction == "credit" else "may not be"
            problem = f"the ledger account of {type.product!r} {whose} {CLEARING}"
            yield Problem(f"{place}.product", "product_of_wallets", problem)
        elif type.direction == "credit" and product["tax_rate"] is not None:
            problem = f"{type.product!r} is taxed; what is paid in advance is taxed when it is spent"
            yield Problem(f"{place}.product", "product_of_wallets", problem)
    if type.payment_method is not None:
        account = known.payment_methods.get(type.payment_method)
        if account is None:
            problem = f"there is no payment method {type.payment_method!r}"
            yield Problem(f"{place}.payment_method", "payment_method_exists", problem)
        elif account != CLEARING:
            problem = f"the ledger account of {type.payment_method!r} must be {CLEARING}"
            yield Problem(f"{place}.payment_method", "method_of_wallets", problem)


def _problems_of_triggers(place: str, type: WalletTransactionType, known: ConfiguredWallets) -> Iterator[Problem]:
    wanted: Sequence[tuple[str, Sequence[str], Classification]] = (
        ("funded_by", type.funded_by, Classification.PAYMENT),
        ("voided_by", type.voided_by, Classification.PAYMENT_CANCELLATION),
    )
    for field, ids, classification in wanted:
        for id in ids:
            if known.transaction_types.get(id) != classification or id in _OWN_TYPES:
                problem = f"there is no transaction type {id!r} of {classification} that people use"
                yield Problem(f"{place}.{field}", "transaction_type_exists", problem)


def _problems_of_shared_triggers(
    place: str, type: WalletTransactionType, funded: Mapping[str, Sequence[str]]
) -> Iterator[Problem]:
    """Yield the payment types of which it would be chance by which type they fund the wallet."""
    if type.id not in funded:
        return
    for id in type.funded_by:
        others = [other for other, ids in funded.items() if other != type.id and id in ids]
        if others:
            problem = f"{id!r} funds the wallet by {', '.join(sorted(others))} already"
            yield Problem(f"{place}.funded_by", "one_type_funded_by", problem)
