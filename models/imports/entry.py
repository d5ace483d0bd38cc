"""One account of an import with all that comes with it: what must hold between its rows, and what is new about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from models.imports.columns import ACCOUNTS, CARDS, SUBSCRIPTIONS
from models.imports.rows import ImportedAccount, ImportedCard, ImportReference
from models.imports.subscriptions import ImportedSubscription, terms_that_differ
from models.problem import Problem

Imported = TypeVar("Imported", ImportedAccount, ImportedSubscription, ImportedCard)


class Change(StrEnum):
    """What an import does with an account, a subscription or a card."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class ImportEntry:
    """An account with its subscriptions and cards, each with the line it stood in: all of it goes in, or nothing."""

    line: int
    account: ImportedAccount
    subscriptions: tuple[tuple[int, ImportedSubscription], ...] = ()
    cards: tuple[tuple[int, ImportedCard], ...] = ()

    @property
    def customer(self) -> str:
        """The gateway's customer, "" when the entry has no card."""
        return self.cards[0][1].customer if self.cards else ""


@dataclass(frozen=True)
class Stored:
    """What the database holds of a batch of entries, by the id that a file calls it.

    `customers` maps an account to its customer, `owners` a customer to its account; `kinds`, `states` are of accounts.
    """

    accounts: Mapping[str, ImportedAccount]
    kinds: Mapping[str, str]
    states: Mapping[str, str]
    subscriptions: Mapping[str, ImportedSubscription]
    cards: Mapping[str, ImportedCard]
    customers: Mapping[str, str]
    owners: Mapping[str, str]


def merged(entry: ImportEntry, stored: Stored) -> ImportEntry:
    """Return an entry with what its files say nothing about as the database has it."""
    return ImportEntry(
        entry.line,
        _merged(entry.account, stored.accounts.get(entry.account.account_id)),
        tuple((line, _merged(row, stored.subscriptions.get(row.subscription_id))) for line, row in entry.subscriptions),
        tuple((line, _merged(row, stored.cards.get(row.token))) for line, row in entry.cards),
    )


def _merged(row: Imported, before: Imported | None) -> Imported:
    if before is None or not row.kept:
        return row
    return replace(row, **{name: getattr(before, name) for name in row.kept})


def problems_within(entry: ImportEntry, reference: ImportReference) -> Iterator[Problem]:
    """Yield what does not fit together: currencies (X11), and customers of the gateway (G7)."""
    account = entry.account
    for line, subscription in entry.subscriptions:
        if subscription.currency != account.currency:
            problem = f"is {subscription.currency}, the account's is {account.currency}"
            yield Problem("currency", "currency_of_account", problem, SUBSCRIPTIONS, line)
        if subscription.ends_on is not None and subscription.ends_on <= subscription.starts_on:
            problem = f"{subscription.ends_on} is not after {subscription.starts_on}"
            yield Problem("ends_on", "ends_after_start", problem, SUBSCRIPTIONS, line)
    for line, card in entry.cards:
        if card.customer != entry.customer:
            problem = f"{card.customer!r} is another customer than {entry.customer!r} of an earlier card"
            yield Problem("customer", "one_customer_an_account", problem, CARDS, line)
        if account.currency not in reference.provider_currencies:
            problem = f"the provider does not take {account.currency}"
            yield Problem("account_id", "currency_of_provider", problem, CARDS, line)


def problems_against(entry: ImportEntry, stored: Stored) -> Iterator[Problem]:
    """Yield what contradicts the database: whatever belongs to somebody else, or can never change."""
    account = entry.account
    if (found := stored.accounts.get(account.account_id)) is not None:
        if stored.kinds[account.account_id] != "customer":
            yield _problem(entry.line, "account_id", "id_not_reserved", "is an account of the ledger itself")
        if found.currency != account.currency:
            yield _problem(entry.line, "currency", "currency_is_fixed", f"the account is kept in {found.currency}")
        if stored.states[account.account_id] == "terminated":
            yield _problem(entry.line, "account_id", "account_not_terminated", "the account is terminated")
    for line, subscription in entry.subscriptions:
        before = stored.subscriptions.get(subscription.subscription_id)
        if before is not None and before.account_id != account.account_id:
            problem = f"{subscription.subscription_id!r} is a subscription of {before.account_id}"
            yield Problem("subscription_id", "subscription_of_account", problem, SUBSCRIPTIONS, line)
        for name in terms_that_differ(subscription, before) if before is not None else ():
            problem = "a file gives it to a new subscription alone; change it by `subscriptions change`"
            yield Problem(name, "terms_of_new_subscription", problem, SUBSCRIPTIONS, line)
    for line, card in entry.cards:
        yield from _problems_of_card(line, card, stored)


def _problems_of_card(line: int, card: ImportedCard, stored: Stored) -> Iterator[Problem]:
    before = stored.cards.get(card.token)
    if before is not None and before.account_id != card.account_id:
        yield Problem("token", "card_of_account", f"is a card of {before.account_id}", CARDS, line)
    owner = stored.owners.get(card.customer, card.account_id)
    if owner != card.account_id:
        yield Problem("customer", "customer_of_one_account", f"{card.customer!r} belongs to {owner}", CARDS, line)
    known = stored.customers.get(card.account_id, card.customer)
    if known != card.customer:
        yield Problem("customer", "customer_is_fixed", f"the account's customer is {known!r}", CARDS, line)


def change_of(row: object, before: object | None) -> Change:
    """Say what a row changes about what was there before."""
    if before is None:
        return Change.CREATED
    return Change.UNCHANGED if row == before else Change.UPDATED


def change_of_entry(entry: ImportEntry, stored: Stored) -> Change:
    """Say what an entry changes: its account is created, or something about it is updated, or nothing."""
    changes = {
        change_of(entry.account, stored.accounts.get(entry.account.account_id)),
        *(change_of(row, stored.subscriptions.get(row.subscription_id)) for _, row in entry.subscriptions),
        *(change_of(row, stored.cards.get(row.token)) for _, row in entry.cards),
    }
    if entry.account.account_id not in stored.accounts:
        return Change.CREATED
    return Change.UNCHANGED if changes == {Change.UNCHANGED} else Change.UPDATED


def _problem(line: int, field: str, rule: str, message: str) -> Problem:
    return Problem(field, rule, message, ACCOUNTS, line)
