"""Believable customers from a seed: the same seed gives the same people, and more of them change none before."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from sandbox.customers.catalogue import ACCESS, BELOW_MINIMUM_PLANS, EXTRAS, Plan
from sandbox.customers.people import MARKETS, Market
from sandbox.customers.problem_cards import ALWAYS_YES, Answers, PaymentProblem, answers_of

# Of every eight customers in a row, one has a problem.
ONE_IN = 8
DOMAINS = ("example.com", "example.net", "example.org")
# Before anything that is billed today: all are customers already, however long ago the seed was chosen.
FIRST_START_ON = date(2019, 1, 1)
START_DAYS = 5 * 365
CREDIT_PERIODS_DAYS = (None, None, None, -7, 7, 14)


@dataclass(frozen=True)
class GeneratedCard:
    """A card to save at the gateway: Stripe's name of the test card, and how it answers to charges."""

    test_card: str
    answers: Answers = ALWAYS_YES


@dataclass(frozen=True)
class GeneratedSubscription:
    """A plan that somebody has bought, so many pieces of it, billed on a day of the month until it ends, if it does."""

    id: str
    plan: Plan
    quantity: int
    billing_day: int
    starts_on: date
    ends_on: date | None = None


@dataclass(frozen=True)
class GeneratedAccount:
    """One customer. Cards are in the order in which they are tried."""

    id: str
    owner_name: str
    email: str
    currency: str
    locale: str
    time_zone: str
    credit_period_days: int | None
    subscriptions: tuple[GeneratedSubscription, ...]
    cards: tuple[GeneratedCard, ...]
    problem: PaymentProblem | None

    @property
    def region(self) -> str:
        """The country, for reports."""
        return self.locale.rpartition("-")[2]

    @property
    def segment(self) -> str:
        """Who buys several pieces is a business, for reports and the dunning policies of segments."""
        return "business" if any(bought.quantity > 1 for bought in self.subscriptions) else "household"

    @property
    def is_terminated(self) -> bool:
        """Tell whether the account is closed before it is billed."""
        return self.problem is PaymentProblem.TERMINATED


def generate(accounts: int, seed: int, one_in: int = ONE_IN) -> Iterator[GeneratedAccount]:
    """Yield so many customers, one at a time. Each depends on the seed, its own number and `one_in` only."""
    for number in range(accounts):
        yield _account(number, seed, one_in)


def problem_of(number: int, seed: int, one_in: int = ONE_IN) -> PaymentProblem | None:
    """Return what is wrong with the customer of this number, counted from 0: each kind of problem in turn.

    Of every `one_in` in a row one has a problem.
    """
    group, place = divmod(number, one_in)
    if Random(f"{seed}:group:{group}").randrange(one_in) != place:
        return None
    turn, position = divmod(group, len(PaymentProblem))
    kinds = list(PaymentProblem)
    Random(f"{seed}:turn:{turn}").shuffle(kinds)
    return kinds[position]


def _account(number: int, seed: int, one_in: int) -> GeneratedAccount:
    draw = Random(f"{seed}:account:{number}")
    market, problem = draw.choice(MARKETS), problem_of(number, seed, one_in)
    place = draw.choice(market.places)
    given, family = draw.choice(place.given_names), draw.choice(place.family_names)
    id = f"acc_{number + 1:06d}"
    return GeneratedAccount(
        id=id,
        owner_name=f"{given} {family}",
        email=f"{_plain(given)}.{_plain(family)}.{number + 1}@{draw.choice(DOMAINS)}",
        currency=market.currency,
        locale=place.locale,
        time_zone=place.time_zone,
        credit_period_days=draw.choice(CREDIT_PERIODS_DAYS),
        subscriptions=_subscriptions(id, market.currency, problem, draw),
        cards=_cards(market, problem, draw),
        problem=problem,
    )


def _subscriptions(
    account_id: str, currency: str, problem: PaymentProblem | None, draw: Random
) -> tuple[GeneratedSubscription, ...]:
    starts_on = FIRST_START_ON + timedelta(days=draw.randrange(START_DAYS))
    billing_day = draw.randint(1, 31)
    if problem is PaymentProblem.BELOW_MINIMUM:
        bought = [(draw.choice(BELOW_MINIMUM_PLANS[currency]), 1)]
    else:
        bought = [(draw.choice(ACCESS[currency]), draw.choice((1, 1, 1, 2)))]
        bought += [(plan, 1) for plan in EXTRAS[currency] if draw.random() < 0.2]
    return tuple(
        GeneratedSubscription(f"{account_id.replace('acc', 'sub')}_{position}", plan, quantity, billing_day, starts_on)
        for position, (plan, quantity) in enumerate(bought, start=1)
    )


def _cards(market: Market, problem: PaymentProblem | None, draw: Random) -> tuple[GeneratedCard, ...]:
    if problem is PaymentProblem.NO_CARD:
        return ()
    first = GeneratedCard(draw.choice(market.cards), answers_of(problem, draw))
    has_fallback = problem is PaymentProblem.DECLINED_WITH_FALLBACK
    return (first, GeneratedCard(draw.choice(market.cards))) if has_fallback else (first,)


def _plain(name: str) -> str:
    """Return a name in the letters that every mail server takes."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(letter for letter in letters.lower() if letter.isalpha())
