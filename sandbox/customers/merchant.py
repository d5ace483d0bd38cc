"""The generated merchant's configuration: what `duly definitions apply` would read from a file."""

from datetime import timedelta

from activities.configuration.definitions import Definitions
from activities.configuration.document import DefinitionsDocument, Policy, Product, Provider
from activities.configuration.document_parts.ledger_document import DueDateRule, LedgerDefinition
from activities.configuration.document_parts.run_document import RunDefinition
from activities.configuration.document_parts.seller_document import SellerPart
from activities.database import Database
from models.collections.dunning import DunningPolicy
from models.runs.process_run import RunKind
from sandbox.customers.catalogue import CURRENCIES, PLANS, TAX_RATES

PROVIDER = "stripe"
PAYMENT_METHOD = "card"
BILLING_DEFINITION = "plans"
PAYMENT_DEFINITION = "monthly"

# About what Stripe's least charge, half a dollar, is in dinars.
MINIMUMS = {"KWD": "0.150"}

# What takes weeks in a month of business takes seconds here; the steps are the same.
POLICY = DunningPolicy(
    id="demo",
    declined_after=(timedelta(seconds=1), timedelta(seconds=2), timedelta(seconds=3)),
    technical_after=(timedelta(seconds=1), timedelta(seconds=2)),
    customer_deadline=timedelta(seconds=5),
    evidence_after=(timedelta(seconds=1), timedelta(seconds=2)),
    review_after=timedelta(minutes=1),
    local_hour=None,
)

_AGREED = "agreed_within_14_days"

MERCHANT = DefinitionsDocument(
    tax_rates=TAX_RATES,
    # Credit periods are agreed with a customer, within two weeks of the rule's date.
    due_date_rules=(DueDateRule(id=_AGREED, number_of_days=14, proximity_operator="plus_minus", proximity_days=14),),
    ledger=LedgerDefinition(due_date_rule=_AGREED),
    products=tuple(
        Product(id=plan.product_id, name=plan.name, product_line=plan.product_line, tax_rate=plan.tax_rate_id)
        for plan in PLANS
    ),
    providers=(
        Provider(id=PROVIDER, mode="test", currencies=CURRENCIES, payment_methods=(PAYMENT_METHOD,), minimums=MINIMUMS),
    ),
    dunning_policies=(Policy(policy=POLICY),),
    run_definitions=(
        RunDefinition(id=BILLING_DEFINITION, kind=RunKind.BILLING, name="Monthly plans"),
        RunDefinition(
            id=PAYMENT_DEFINITION,
            kind=RunKind.PAYMENT,
            name="Monthly payments by card",
            provider=PROVIDER,
            dunning_policy=POLICY.id,
        ),
    ),
)


# Who is named on documents: without a seller nobody can print one. What only counts payments prints none.
WITH_SELLER = MERCHANT.model_copy(
    update={
        "sellers": (
            SellerPart(
                id="house",
                name="Fibernetz GmbH",
                street="Hauptstraße 1",
                postal_code="10115",
                city="Berlin",
                country="DE",
                vat_id="DE123456789",
                email="billing@example.com",
                iban="DE89370400440532013000",
                bic="COBADEFFXXX",
            ),
        )
    }
)


async def configure(database: Database, document: DefinitionsDocument = MERCHANT) -> None:
    """Set up the merchant in an empty database: provider, products, taxes, dunning, a run definition of each kind."""
    await Definitions(database).apply(document)
