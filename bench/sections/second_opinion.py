"""What a Stripe server that nobody here wrote says of the same months."""

from collections import Counter

from bench.page import on, section, table, verdict
from bench.second_opinion.faults import CallFault
from bench.second_opinion.figures import ForeignMonth, SecondOpinion


def second_opinion(found: SecondOpinion) -> str:
    """Both books, month by month."""
    last = found.months[-1].books
    doubled = sum(month.books.doubled for month in found.months)
    differing = sum(month.books.differences - month.books.doubled for month in found.months)
    left = sum(month.owing + month.unresolved for month in found.months)
    return section(
        "A second opinion",
        f"Months of {found.accounts} accounts, {found.declining} of them with a card that declines, are billed,"
        f" collected, and given back in part against localstripe {found.localstripe}, a Stripe server that nobody here"
        " wrote; [Testing](testing.md#a-second-opinion) says what the adapter between adds. In each month a larger"
        " share of the calls fails. Then localstripe's own lists are read and held against the ledger, object by object"
        " and by currency. Charges and refunds are all those so far.",
        table(
            (
                "Calls that fail",
                "Calls",
                "Failed",
                "Paid",
                "Given back",
                "Sent again",
                "Charges there",
                "In the ledger",
                "Refunds there",
                "In the ledger",
                "Differences",
                "Time, s",
            ),
            [_row(month) for month in found.months],
        ),
        f"What failed, from seed {found.seed}: {_injected(found)}.",
        verdict(
            "charges there are those of the ledger",
            f"{last.charges_there:,} there, {last.charges_in_ledger:,} in the ledger",
            met=last.charges_there == last.charges_in_ledger > 0,
        ),
        verdict(
            "refunds there are those of the ledger",
            f"{last.refunds_there:,} there, {last.refunds_in_ledger:,} in the ledger",
            met=last.refunds_there == last.refunds_in_ledger > 0,
        ),
        verdict("nothing doubled", str(doubled), met=doubled == 0),
        verdict("nothing missing on either side, no amount or balance different", str(differing), met=differing == 0),
        verdict("everybody with a good card has paid, and nothing is left open", f"{left} left", met=left == 0),
        on(found.machine),
    )


def _row(month: ForeignMonth) -> tuple[object, ...]:
    books = month.books
    return (
        f"{month.share:.0%}",
        f"{month.counts.calls:,}",
        f"{month.failed:,}",
        month.paid,
        month.given_back,
        month.sent_again,
        books.charges_there,
        books.charges_in_ledger,
        books.refunds_there,
        books.refunds_in_ledger,
        books.differences,
        f"{month.seconds:.1f}",
    )


def _injected(found: SecondOpinion) -> str:
    injected: Counter[CallFault] = Counter()
    for month in found.months:
        injected.update(month.counts.faults)
    return ", ".join(f"{kind} {injected[kind]:,}" for kind in CallFault)
