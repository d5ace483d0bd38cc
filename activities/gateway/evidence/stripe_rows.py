"""What the rows of Stripe's books say, read from their JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from activities.gateway.translation import application_fee_in
from models.card_number import without_card_numbers
from models.gateway.amounts import from_books
from models.gateway.identity import INVOICES, invoices_named
from models.gateway.payment_methods import method_of
from models.reconciliation.gateway import BalanceMovement, FoundObject, FoundPayout
from models.reconciliation.movement_kinds import EntryKind, entry_kind

FEE_REFUND = "fr_"


def movements_of_fee(fee: Mapping[str, Any]) -> tuple[BalanceMovement, ...]:
    """Read what an application fee has moved, and what of it was given back."""
    parts = [{**part, "fee": fee} for part in (fee, *fee["refunds"]["data"])]
    return tuple(
        balance_movement({**row, "source": part})
        for part in parts
        if isinstance(row := part["balance_transaction"], Mapping)
    )


def balance_movement(row: Mapping[str, Any]) -> BalanceMovement:
    """Read a balance transaction."""
    application_fee = application_fee_in(row.get("fee_details") or ())
    currency, amounts = from_books(row["currency"], row["amount"], row["fee"], application_fee)
    amount_minor, fee_minor, application_fee_minor = amounts
    available = row.get("available_on")
    return BalanceMovement(
        id=row["id"],
        type=row["type"],
        category=row.get("reporting_category") or "",
        kind=_kind_of(row, amount_minor),
        pocket=row.get("balance_type") or "payments",
        source=_source_of(row.get("source")),
        amount_minor=amount_minor,
        fee_minor=fee_minor,
        currency=currency,
        exchange_rate="" if row.get("exchange_rate") is None else str(row["exchange_rate"]),
        created_at=datetime.fromtimestamp(row["created"], UTC),
        available_on=datetime.fromtimestamp(available, UTC) if available else None,
        application_fee_minor=application_fee_minor,
    )


def found_object(row: Mapping[str, Any]) -> FoundObject:
    """Read what a charge, refund, dispute or payout says of itself."""
    if row.get("object") == "payout":
        return _payout(row)
    metadata = row.get("metadata") or {}
    # Of a charge whose money was captured later, what was captured; the rest was never taken.
    is_held = row.get("object") == "charge" and row.get("captured") is False
    amount = row["amount"] if is_held else row.get("amount_captured") or row["amount"]
    currency, (amount_minor, application_fee_minor) = from_books(
        row["currency"], amount, row.get("application_fee_amount") or 0
    )
    method_type = str((row.get("payment_method_details") or {}).get("type", ""))
    return FoundObject(
        id=row["id"],
        # What is only held was not paid so far, though the gateway says of its charge that it succeeded.
        status="held" if is_held and row["status"] == "succeeded" else row.get("status") or "",
        # A charge that was made without an intent is its own payment.
        payment_reference=id_of(row.get("payment_intent")) or id_of(row.get("charge")) or row["id"],
        customer=id_of(row.get("customer")),
        attempt_key=without_card_numbers(metadata.get("duly_attempt", "")),
        account_id=without_card_numbers(metadata.get("duly_account", "")),
        amount_minor=amount_minor,
        currency=currency,
        created=row["created"],
        method_type=method_type,
        method=method_of(method_type),
        invoices=invoices_named(without_card_numbers(metadata.get(INVOICES, ""))),
        application_fee_minor=application_fee_minor,
        destination=id_of((row.get("transfer_data") or {}).get("destination")),
    )


def _payout(row: Mapping[str, Any]) -> FoundPayout:
    currency, (amount_minor,) = from_books(row["currency"], row["amount"])
    return FoundPayout(
        id=row["id"],
        status=row["status"],
        amount_minor=amount_minor,
        currency=currency,
        created=row["created"],
        arrives=row["arrival_date"],
        trace=(row.get("trace_id") or {}).get("value") or "",
        is_automatic=row["automatic"],
        has_lines=row.get("reconciliation_status") == "completed",
    )


def _kind_of(row: Mapping[str, Any], amount_minor: int) -> EntryKind:
    """Return what a movement is of its source; a fee that was given back says so by its id.

    What a merchant's account calls one that comes back without a refund is published nowhere.
    """
    if id_of(row.get("source")).startswith(FEE_REFUND):
        return EntryKind.APPLICATION_FEE_REFUND
    return entry_kind(row.get("reporting_category") or "", row["type"], amount_minor)


def _source_of(source: object) -> str:
    """Return what a movement is of.

    Of a platform's fee the charge; of one given back the charge and its own id; of what was taken back of a transfer
    the transfer and its own id.
    """
    match source:
        case {"object": "application_fee", "charge": charge}:
            return id_of(charge)
        case {"object": "fee_refund", "id": id_, "fee": {"charge": charge}}:
            return f"{id_of(charge)}/{id_}"
        case {"object": "transfer_reversal", "id": id_, "transfer": transfer}:
            return f"{id_of(transfer)}/{id_}"
        case _:
            return id_of(source)


def id_of(value: object) -> str:
    """Return the id of what is an object or its id; empty where there is none."""
    return str(value.get("id", "")) if isinstance(value, Mapping) else str(value or "")
