"""Which activities each workflow calls, and at which moment of its scenario: the rows of the crash matrix."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.collections.collection import PaidOutsideCommand
from models.payments.card_payment import CardPayment
from models.payments.payment_request import PageOrder
from tests.supervision.scenario import WHO, Moment


@dataclass(frozen=True)
class Pressed:
    """How far a scenario is led, and what a person or a signal then asks of the workflow until its worker has died.

    With `changes_end` the scenario ends as it was asked to, and not as it would by itself.
    """

    at: Moment
    update: str = ""
    command: object = WHO
    signal: str = ""
    changes_end: bool = False


ROWS: Mapping[str, Mapping[str, Moment]] = {
    "BackEndReduction": {
        "close_reduction": Moment.DONE,
        "configured_providers": Moment.DONE,
        "load_reduction": Moment.DONE,
        "open_reduction": Moment.DONE,
        "plan_reduction": Moment.DONE,
        "providers_of_parts": Moment.DONE,
    },
    "BankRefunds": {
        "ask_for_bank_release": Moment.DONE,
        "decide_bank_refunds": Moment.DONE,
        "open_bank_refunds": Moment.DONE,
        "start_mailing": Moment.DONE,
    },
    "BillingRun": {
        "bill_page": Moment.DONE,
        "certify_billing_run": Moment.DONE,
        "freeze_billing_run": Moment.DONE,
        "progress_of_shards": Moment.DONE,
    },
    "CardLifecycle": {
        "configured_providers": Moment.DONE,
        "load_card": Moment.DONE,
        "notify_card": Moment.PAGE_OPEN,
        "refresh_card": Moment.WAITING,
        "register_card": Moment.DONE,
        "remove_card": Moment.DONE,
        "validate_card": Moment.DONE,
        "waiting_periods": Moment.DONE,
    },
    "Collection": {
        "close_collection": Moment.DONE,
        "collect": Moment.DONE,
        "configured_providers": Moment.DONE,
        "notify": Moment.DONE,
        "open_collection": Moment.DONE,
        "open_page": Moment.PAGE_OPEN,
    },
    "Dispute": {
        "configured_providers": Moment.DONE,
        "notify_account": Moment.DONE,
        "read_dispute": Moment.DONE,
        "reductions_of_payment": Moment.DONE,
    },
    "EventSweep": {
        "book_movements": Moment.DONE,
        "configured_providers": Moment.DONE,
        "deliver_events": Moment.DONE,
        "sweep_events": Moment.DONE,
    },
    "GatewayMovements": {
        "book_movements": Moment.WAITING,
        "configured_providers": Moment.WAITING,
    },
    "LedgerAudit": {
        "find_violations": Moment.DONE,
        "seal_ledger": Moment.DONE,
    },
    "Mailing": {
        "send_page": Moment.DONE,
    },
    "MerchantConnection": {
        "configured_providers": Moment.DONE,
        "make_merchant_account": Moment.DONE,
        "open_merchant_connection": Moment.DONE,
        "read_merchant_account": Moment.DONE,
    },
    "ObjectCheck": {
        "check_object": Moment.DONE,
        "configured_providers": Moment.DONE,
        "start_mailing": Moment.DONE,
    },
    "PaymentRequest": {
        "configured_providers": Moment.DONE,
        "end_payment_request": Moment.DONE,
        "have_payer": Moment.DONE,
        "load_payment_request": Moment.DONE,
        "hand_out_link": Moment.DONE,
        "notify_account": Moment.DONE,
        "open_page": Moment.DONE,
        "open_payment_request": Moment.DONE,
        "read_page": Moment.DONE,
    },
    "PaymentRun": {
        "certify_run": Moment.DONE,
        "freeze_payment_run": Moment.DONE,
        "progress_of_shards": Moment.DONE,
        "start_mailing": Moment.DONE,
    },
    "PaymentRunShard": {
        "collect": Moment.DONE,
        "due_page": Moment.DONE,
    },
    "Reconciliation": {
        "certify_reconciliation": Moment.DONE,
        "compare_balances": Moment.DONE,
        "configured_providers": Moment.DONE,
        "confirm_candidates": Moment.DONE,
        "match_movements": Moment.DONE,
        "plan_reconciliation": Moment.DONE,
        "read_window": Moment.DONE,
    },
    "Refund": {
        "check_refund": Moment.DONE,
        "configured_providers": Moment.DONE,
        "notify_account": Moment.DONE,
        "refund": Moment.DONE,
    },
    "RefundRun": {
        "certify_refund_run": Moment.DONE,
        "configured_providers": Moment.DONE,
        "freeze_refund_run": Moment.DONE,
        "refund_certificate": Moment.DONE,
        "refund_page": Moment.DONE,
    },
    "Reminders": {
        "write_reminders": Moment.DONE,
    },
    "ReportDelivery": {
        "keep_report": Moment.DONE,
        "report_due": Moment.DONE,
        "start_mailing": Moment.DONE,
    },
    "Supervisor": {
        "resume_open": Moment.DONE,
    },
}

# What only a person or a signal brings about, by the workflow that calls it.
PRESSED: Mapping[tuple[str, str], Pressed] = {
    ("CardLifecycle", "change_card"): Pressed(Moment.WAITING, update="block", changes_end=True),
    ("Collection", "close_page"): Pressed(Moment.PAGE_OPEN, update="give_up", changes_end=True),
    ("Collection", "is_owed"): Pressed(Moment.WAITING, signal="receivable_changed"),
    ("Collection", "record_paid_outside"): Pressed(
        Moment.WAITING,
        update="mark_paid_outside",
        command=PaidOutsideCommand("maria", "as agreed", reference="statement 7"),
    ),
    ("Dispute", "accept_dispute"): Pressed(Moment.WAITING, update="accept", changes_end=True),
    ("MerchantConnection", "disconnect_merchant"): Pressed(Moment.WAITING, update="disconnect", changes_end=True),
    ("MerchantConnection", "open_onboarding"): Pressed(Moment.WAITING),
    ("PaymentRequest", "close_page"): Pressed(Moment.PAGE_OPEN, update="withdraw", changes_end=True),
    ("PaymentRequest", "mail_payment_request"): Pressed(Moment.WAITING, update="send_link"),
    ("PaymentRequest", "note_card_payment"): Pressed(
        Moment.WAITING, update="pay", command=CardPayment("maria", "our treat")
    ),
    ("PaymentRequest", "note_page_order"): Pressed(Moment.WAITING, update="open_page", command=PageOrder(2500)),
}

# What no scenario leads to, whoever calls it, with where its safety to repeat is tested instead.
ELSEWHERE: Mapping[str, str] = {
    "load_merchant_connection": "as open_merchant_connection, of a stopped one: tests/merchants/test_disconnecting.py",
    "reconnect_merchant": "compares, then one commit: tests/merchants/test_disconnecting.py",
    "alert_of_violations": "needs a broken ledger: tests/messages/test_alerts.py",
    "claw_back_reduction": "needs a sale that is returned: tests/reductions/test_reductions.py",
    "credit_reduction": "needs a refund that comes back: tests/refunds/test_any_history.py",
    "detach_card": "needs a replacement: tests/cards/test_lifecycle.py",
    "dry_run_page": "reads alone: tests/runs/test_dry_run.py",
    "end_validation": "needs a removal while a page is open: tests/cards/test_removal.py",
    "note_cancel": "every workflow that answers a Cancel: tests/supervision/test_every_button.py",
    "open_amount": "as open_collection: tests/collections/claims/test_amounts.py",
    "open_next_part": "needs 5,000 invoices: tests/collections/claims/test_parts.py",
    "raise_run_alerts": "needs a provider with alerts: tests/messages/test_alerts.py",
    "record_run_decisions": "needs a run that is steered: tests/runs/control/test_run_control.py",
    "steer_run": "needs a run that is steered: tests/runs/control/queued/test_queued_payments.py",
    "release_members": "needs a run that is aborted: tests/runs/control/test_run_control.py",
    "release_hold": "finds itself done: tests/payments/fraud/test_releases.py",
    "remind_of_dispute": "needs evidence that is due: tests/disputes/test_disputes.py",
    "require_effective_provider": "reads alone: tests/cards/test_stopped_provider.py",
    "resolve_refund": "needs an unknown refund: tests/refunds/test_refunds.py",
    "resolve_unknown": "needs an unknown payment: tests/collections/test_operators.py",
    "resolve_validation": "needs an unknown validation: tests/cards/test_registration.py",
    "set_queue_rate": "needs a run whose rate is changed: tests/runs/control/test_run_control.py",
    "shadow_collect": "asks no gateway: tests/runs/test_shadow_run.py",
}
# What has a row under another workflow, and no scenario leads this one to.
ROW_OF_ANOTHER: Mapping[tuple[str, str], str] = {
    ("EventSweep", "start_mailing"): "needs an event that nobody can place: tests/events/test_unknown_events.py",
    ("LedgerAudit", "start_mailing"): "needs a broken ledger: tests/messages/test_alerts.py",
    (
        "PaymentRequest",
        "collect",
    ): "an answer that is lost takes the money once: tests/payments/requests/test_paid_for_the_payer.py",
    ("Refund", "reductions_of_payment"): "needs a payment that is cancelled: tests/refunds/test_cancellations.py",
    ("Reminders", "start_mailing"): "needs an invoice that is due: tests/messages/test_reminders.py",
}
WITHOUT_ACTIVITIES: Mapping[str, str] = {"ScheduledRun": "starts a run, and calls nothing itself"}
