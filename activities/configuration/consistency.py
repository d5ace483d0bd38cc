"""What a document must agree with: itself, and what is configured already."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activities.configuration.document import DefinitionsDocument, Provider
from activities.configuration.document_parts.run_document import RunDefinition
from models.merchants.application_fee import application_fee
from models.problem import Problem


@dataclass(frozen=True)
class Configured:
    """What is configured, as far as a document may refer to it or contradict it."""

    tax_rates: Sequence[str]
    payment_methods: Sequence[str]
    dunning_policies: Sequence[str]
    kinds: Mapping[str, str]
    handled_by: Mapping[str, str]
    providers: Mapping[str, Mapping[str, Any]]
    sellers: Mapping[str, str | None]
    merchants: Sequence[str]
    gateways: Mapping[str, str]
    segments: Mapping[str, str]
    message_templates: Mapping[str, str]


def check(document: DefinitionsDocument, known: Configured) -> Iterator[Problem]:
    """Yield everything in a document that contradicts the document or the configuration."""
    rates = {*known.tax_rates, *(rate.id for rate in document.tax_rates)}
    for position, product in enumerate(document.products):
        if product.tax_rate is not None and product.tax_rate not in rates:
            problem = f"there is no tax rate {product.tax_rate!r}"
            yield Problem(f"products.{position}.tax_rate", "tax_rate_exists", problem)
    yield from _problems_of_providers(document, known)
    yield from _problems_of_sellers(document, known)
    yield from _problems_of_creditors(document, known)
    yield from _problems_of_messages(document, known)
    for position, definition in enumerate(document.run_definitions):
        yield from _problems_of_definition(f"run_definitions.{position}", definition, document, known)


def _problems_of_providers(document: DefinitionsDocument, known: Configured) -> Iterator[Problem]:
    methods = {*known.payment_methods, *(method.id for method in document.payment_methods)}
    # What a provider of the document no longer names is taken away from it.
    rewritten = {provider.id for provider in document.providers}
    handled_by = {method: provider for method, provider in known.handled_by.items() if provider not in rewritten}
    for position, provider in enumerate(document.providers):
        place = f"providers.{position}"
        for method in provider.payment_methods:
            if method not in methods:
                problem = f"there is no payment method {method!r}"
                yield Problem(f"{place}.payment_methods", "payment_method_exists", problem)
            if (other := handled_by.setdefault(method, provider.id)) != provider.id:
                problem = f"{method!r} is handled by provider {other!r}; it may have one only"
                yield Problem(f"{place}.payment_methods", "one_provider_a_method", problem)
        yield from _problems_of_mode(place, provider, known)
        yield from _problems_of_fee(f"{place}.application_fee", provider, known)


def _problems_of_fee(place: str, provider: Provider, known: Configured) -> Iterator[Problem]:
    before = known.providers.get(provider.id, {})
    given = provider.fee_stored
    rule = application_fee(before.get("application_fee", {}) if given is None else given)
    if rule is None:
        return
    if not (provider.merchant or before.get("merchant")) or provider.gateway != "stripe":
        problem = "is taken of payments on a merchant's own account alone: name the provider's merchant"
        yield Problem(place, "fee_of_merchant", problem)
    elif why := rule.problem({code: provider.minimum_minor(code) for code in provider.currencies}):
        yield Problem(place, "fee_fits_provider", why)


def _problems_of_messages(document: DefinitionsDocument, known: Configured) -> Iterator[Problem]:
    segments = {**known.segments, **{one.id: one.about for one in document.segments}}
    for kind, stored in (("segments", known.segments), ("message_templates", known.message_templates)):
        for position, one in enumerate(getattr(document, kind)):
            if stored.get(one.id, one.about) != one.about:
                problem = f"{one.id!r} is about {stored[one.id]}; take another id"
                yield Problem(f"{kind}.{position}.about", "about_is_fixed", problem)
    for position, segment in enumerate(document.segments):
        named = segment.criteria.accounts
        if named is not None and segments.get(named) != "accounts":
            problem = f"there is no segment of accounts {named!r}"
            yield Problem(f"segments.{position}.criteria.accounts", "segment_exists", problem)


def _problems_of_creditors(document: DefinitionsDocument, known: Configured) -> Iterator[Problem]:
    gateways = {**known.gateways, **{provider.id: provider.gateway for provider in document.providers}}
    for position, creditor in enumerate(document.creditors):
        if gateways.get(creditor.id) != "sepa_debit":
            problem = f"there is no provider {creditor.id!r} whose gateway is sepa_debit"
            yield Problem(f"creditors.{position}.id", "creditor_of_provider", problem)
    for position, provider in enumerate(document.providers):
        place = f"providers.{position}"
        if known.gateways.get(provider.id, provider.gateway) != provider.gateway:
            problem = f"provider {provider.id!r} is of {known.gateways[provider.id]}; make another provider"
            yield Problem(f"{place}.gateway", "gateway_is_fixed", problem)
        if provider.gateway == "sepa_debit" and set(provider.currencies) != {"EUR"}:
            yield Problem(f"{place}.currencies", "currency_of_debits", "SEPA debits are in euros")


def _problems_of_sellers(document: DefinitionsDocument, known: Configured) -> Iterator[Problem]:
    rewritten = {seller.id for seller in document.sellers}
    sells_for = {merchant: id for id, merchant in known.sellers.items() if id not in rewritten}
    for position, seller in enumerate(document.sellers):
        place = f"sellers.{position}.merchant"
        if seller.merchant is not None and seller.merchant not in known.merchants:
            yield Problem(place, "merchant_exists", f"there is no merchant {seller.merchant!r}")
        if (other := sells_for.setdefault(seller.merchant, seller.id)) != seller.id:
            whom = f"merchant {seller.merchant!r}" if seller.merchant else "the house"
            yield Problem(place, "one_seller_a_merchant", f"{other!r} sells for {whom} already")


def _problems_of_mode(place: str, provider: Provider, known: Configured) -> Iterator[Problem]:
    before = known.providers.get(provider.id)
    if before and before["in_use"] and before["mode"] != provider.mode:
        problem = f"provider {provider.id!r} has customers in {before['mode']} mode; make another provider"
        yield Problem(f"{place}.mode", "mode_is_fixed", problem)


def _problems_of_definition(
    place: str, definition: RunDefinition, document: DefinitionsDocument, known: Configured
) -> Iterator[Problem]:
    kind = known.kinds.get(definition.id, definition.kind)
    if kind != definition.kind:
        yield Problem(f"{place}.kind", "kind_is_fixed", f"{definition.id!r} is a {kind} run definition")
    policies = {*known.dunning_policies, *(part.policy.id for part in document.dunning_policies)}
    if definition.dunning_policy not in policies:
        problem = f"there is no dunning policy {definition.dunning_policy!r}"
        yield Problem(f"{place}.dunning_policy", "dunning_policy_exists", problem)
    if definition.provider is None:
        return
    taken = _currencies_of(definition.provider, document, known)
    if taken is None:
        problem = f"there is no provider {definition.provider!r}"
        yield Problem(f"{place}.provider", "provider_exists", problem)
        return
    for code in definition.currencies:
        if code not in taken:
            problem = f"provider {definition.provider!r} does not take {code}"
            yield Problem(f"{place}.currencies", "currency_of_provider", problem)
    yield from _problems_of_criteria(
        f"{place}.criteria", definition, taken, _methods_of(definition.provider, document, known)
    )


def _problems_of_criteria(
    place: str, definition: RunDefinition, currencies: set[str], methods: set[str]
) -> Iterator[Problem]:
    criteria = definition.criteria
    for method in criteria.payment_methods:
        if method not in methods:
            problem = f"provider {definition.provider!r} does not handle {method!r}, so nobody would be charged by it"
            yield Problem(f"{place}.payment_methods", "method_of_provider", problem)
    wanted = set(definition.currencies) or currencies
    for field, bounds in (("minimum", criteria.minimum), ("maximum", criteria.maximum)):
        for code in bounds:
            if code not in wanted:
                yield Problem(f"{place}.{field}", "currency_of_definition", f"no account in {code} is charged by it")


def _methods_of(provider_id: str, document: DefinitionsDocument, known: Configured) -> set[str]:
    for provider in document.providers:
        if provider.id == provider_id:
            return set(provider.payment_methods)
    return {method for method, provider in known.handled_by.items() if provider == provider_id}


def _currencies_of(provider_id: str, document: DefinitionsDocument, known: Configured) -> set[str] | None:
    for provider in document.providers:
        if provider.id == provider_id:
            return set(provider.currencies)
    stored = known.providers.get(provider_id)
    return None if stored is None else set(stored["currencies"])
