"""The parts of the README that code knows best: `python -m tests.house.readme` writes them again."""

import re
from collections.abc import Sequence
from typing import Any

import temporalio.workflow

from models import workflow_ids
from tests.house.source import ROOT
from workflows import registered

README = ROOT / "README.md"
EXAMPLE = ROOT / "docs" / "examples" / "collect_now.py"

HEADER = ("| Workflow | Id | Signals | Updates | Queries |", "|---|---|---|---|---|")

_RUN = workflow_ids.payment_run_id("<definition>", "<period>")
IDS = {
    "Supervisor": f"{workflow_ids.SUPERVISOR}-<time>",
    "BackEndReduction": workflow_ids.reduction_id("<award>"),
    "BankRefunds": workflow_ids.bank_refunds_id("<month>"),
    "BillingRun": workflow_ids.billing_run_id("<definition>", "<period>"),
    "CardLifecycle": workflow_ids.card_id("<card>"),
    "Collection": workflow_ids.collection_id("<account>", "<period>"),
    "Dispute": workflow_ids.dispute_id("<dispute>"),
    "EventSweep": f"{workflow_ids.sweep_id('<provider>')}-<time>",
    "GatewayMovements": workflow_ids.movements_id("<provider>"),
    "LedgerAudit": f"{workflow_ids.AUDIT}-<time>",
    "Mailing": workflow_ids.mailing_id(_RUN),
    "MerchantConnection": workflow_ids.merchant_connection_id("<merchant>"),
    "ObjectCheck": workflow_ids.object_check_id("<provider>", "<object>"),
    "PaymentRequest": workflow_ids.payment_request_id("<request>"),
    "PaymentRun": _RUN,
    "PaymentRunShard": f"{_RUN}/shard-<n>",
    "Reconciliation": workflow_ids.reconciliation_id("<provider>", "<day>"),
    "RefundRun": workflow_ids.refund_run_id("<provider>", "<day>"),
    "Refund": workflow_ids.refund_id("<refund>"),
    "Reminders": f"{workflow_ids.REMINDERS}-<time>",
    "ReportDelivery": workflow_ids.report_id("<schedule>", "<period>"),
    "ScheduledRun": f"{workflow_ids.scheduled_run_id('<definition>')}-<time>",
}


def workflow_rows(workflows: Sequence[type]) -> list[str]:
    """Return a table row for each registered workflow, with every signal, update and query."""
    rows = []
    for one in sorted(workflows, key=lambda kind: kind.__name__):
        definition: Any = temporalio.workflow._Definition.must_from_class(one)
        handlers = [_names(definition.signals), _names(definition.updates), _names(definition.queries)]
        rows.append(f"| {' | '.join([definition.name, f'`{IDS[definition.name]}`', *handlers])} |")
    return rows


def readme_with(marker: str, content: str, text: str) -> str:
    """Return the README with what stands between two markers replaced."""
    return re.sub(
        rf"(<!-- {marker} -->\n).*?(<!-- /{marker} -->)", lambda m: f"{m[1]}{content}{m[2]}", text, flags=re.DOTALL
    )


def written() -> str:
    """Return the README as it should be."""
    text = README.read_text(encoding="utf-8")
    text = readme_with("workflows", "\n".join([*HEADER, *workflow_rows(registered.WORKFLOWS)]) + "\n", text)
    example = EXAMPLE.read_text(encoding="utf-8").partition("async def")
    return re.sub(
        r"(```python\n).*?(```)", lambda m: f"{m[1]}{example[1]}{example[2]}{m[2]}", text, count=1, flags=re.DOTALL
    )


def _names(handlers: dict[str | None, Any]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(name for name in handlers if name)) or "-"


if __name__ == "__main__":
    README.write_text(written(), encoding="utf-8")
