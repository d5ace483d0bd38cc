"""What comes next for a merchant, in words, with the command that does it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from models.merchants.account import ConnectionState, Flow
from models.merchants.connection import StoredConnection


def next_step(
    merchant: Row[Any], stored: StoredConnection | None, providers: Sequence[Row[Any]], *, has_discrepancies: bool
) -> str:
    """Say what a merchant waits for, the first thing first, or how it is paid where it waits for nothing."""
    if not merchant.takes_payments:
        return f"It is not switched on for payments: duly merchants enable {merchant.id}."
    if stored is None:
        return f"It has no account at the gateway: duly merchants connect {merchant.id}."
    if stored.state is not ConnectionState.SUCCESSFUL:
        return _of_connection(merchant, stored)
    if all(one.gateway_account != stored.gateway_account for one in providers):
        return "Its account has no provider: name one with merchant in a document for duly definitions apply."
    why_not = next((one.why_not for one in providers if one.gateway_account == stored.gateway_account), "")
    if why_not:
        return f"Nothing may be taken for it: {why_not}."
    if has_discrepancies:
        return "What it has is not what it should have: see the open discrepancies."
    if stored.due_at:
        return "It is paid. Its owner has to bring what is missing by the day that stands below, on its link."
    if merchant.flow == Flow.DESTINATION:
        return "The platform takes its customers' payments and passes them on."
    return "It is paid on its own account."


def _of_connection(merchant: Row[Any], stored: StoredConnection) -> str:
    link = f"its owner has a link: duly merchants show {merchant.id}"
    return {
        ConnectionState.PENDING: f"Its owner is at the gateway's pages, or the gateway is checking; {link}.",
        ConnectionState.INCOMPLETE: f"Its owner has to bring what is missing; {link}.",
        ConnectionState.RESTRICTED: "The gateway lets it take no payments: its page there says why, and who must act.",
        ConnectionState.DISCONNECTED: f"It is disconnected: duly merchants reconnect {merchant.id}, with its account.",
    }.get(stored.state, f"Its account is being made; what is not taken needs another try: {link}.")
