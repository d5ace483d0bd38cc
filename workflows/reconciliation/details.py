"""How a reconciliation looks in the Temporal UI: what agrees, what differs, and what helps."""

from models.gateway.amounts import books_text
from models.reconciliation.discrepancy import describe
from models.reconciliation.reconciliation import ConfirmedCandidates, ReconciliationCertificate
from workflows.markdown import aligned, paragraphs


def details_of(certificate: ReconciliationCertificate, confirmed: ConfirmedCandidates) -> str:
    """Return the details of a round that is over."""
    return paragraphs(
        f"### {certificate.provider} on {certificate.day}, round {certificate.round}",
        _verdict(certificate),
        _totals(certificate),
        _balances(certificate),
        _in_transit(certificate),
        f"Looked at once more: {confirmed.matched} were matched after all, {confirmed.mended} booked by Duly itself,"
        f" {confirmed.listed} listed, {confirmed.waiting} still under way.",
        f"Seal `{certificate.sha256}`",
    )


def _verdict(certificate: ReconciliationCertificate) -> str:
    if not certificate.open_discrepancies:
        return "Gateway and ledger agree."
    lines = [
        f"- **{total.discrepancies} {total.kind}**: {describe(total.kind).meaning}"
        for total in certificate.discrepancies
        if total.state == "open"
    ]
    listed = "`duly reconcile list` names each with its remedy."
    return "\n".join((f"**{certificate.open_discrepancies} discrepancies are open.**\n", *lines, f"\n{listed}"))


def _totals(certificate: ReconciliationCertificate) -> str:
    if not certificate.totals:
        return "No money moved on this day."
    rows = [("Movement", "State", "Count", "Amount", "Fee")]
    rows += [
        (
            total.kind,
            total.state,
            str(total.movements),
            books_text(total.amount_minor, total.currency),
            books_text(total.fee_minor, total.currency),
        )
        for total in certificate.totals
    ]
    return aligned(rows, right=frozenset({2, 3, 4}))


def _in_transit(certificate: ReconciliationCertificate) -> str:
    return "\n".join(
        f"On the way to the bank: {books_text(one.amount_minor, one.currency)} in {one.payouts} payouts."
        for one in certificate.in_transit
    )


def _balances(certificate: ReconciliationCertificate) -> str:
    if not certificate.balances:
        return ""
    rows = [("Balance", "Gateway", "Ledger", "Not booked", "Unexplained")]
    rows += [
        (
            one.currency,
            books_text(one.gateway_minor, one.currency),
            books_text(one.ledger_minor, one.currency),
            books_text(one.unbooked_minor, one.currency),
            books_text(one.difference_minor, one.currency),
        )
        for one in certificate.balances
    ]
    return aligned(rows, right=frozenset({1, 2, 3, 4}))
