"""Natural ids of workflows, schedules and activities, and the names of their task queues."""

WORKFLOW_QUEUE = "duly"

# A queue and slots of its own: a mail server that hangs must not keep anything else waiting.
MAIL_QUEUE = "duly-mail"


def gateway_queue(provider: str) -> str:
    """The task queue of one provider's calls, so that one provider's faults stay its own."""
    return f"duly-gateway-{provider}"


def billing_run_id(definition_id: str, period: str, supplement: int = 0) -> str:
    """Natural id of a billing run, or of one that supplements it."""
    return f"billing/{definition_id}/{period}{_supplement(supplement)}"


def payment_run_id(definition_id: str, period: str, supplement: int = 0) -> str:
    """Natural id of a payment run, or of one that supplements it."""
    return f"run/{definition_id}/{period}{_supplement(supplement)}"


def _supplement(number: int) -> str:
    return f"/supplement-{number}" if number else ""


def schedule_id(definition_id: str) -> str:
    """Id of the schedule of a run definition."""
    return f"schedule/{definition_id}"


def scheduled_run_id(definition_id: str) -> str:
    """Id of what a schedule starts; Temporal adds the scheduled moment."""
    return f"scheduled/{definition_id}"


def card_id(card_id: str) -> str:
    """Natural id of the workflow that looks after a card."""
    return f"card/{card_id}"


def refund_id(refund_id: str) -> str:
    """Natural id of the workflow that sees a refund through."""
    return f"refund/{refund_id}"


def reduction_id(award_id: str) -> str:
    """Natural id of the workflow that owns an award."""
    return f"reduction/{award_id}"


# Name and id of the daily reminders; Temporal adds the scheduled moment to the id.
REMINDER_SCHEDULE = "reminders:daily"
MAILING_SCHEDULE = "mailing:posted"
REMINDERS = "reminders"


# Name of the schedule that drafts a month's refunds by bank transfer.
BANK_REFUND_SCHEDULE = "bank-refunds:monthly"


def bank_refunds_id(period: str) -> str:
    """Natural id of a month's refunds by bank transfer; `scheduled` and the moment are what a schedule starts."""
    return f"bank-refunds/{period}"


def refund_run_id(provider: str, day: str) -> str:
    """Natural id of a day's refunds."""
    return f"refunds/{provider}/{day}"


def refund_schedule(provider: str) -> str:
    """Name of the schedule of a provider's refund run: no definition can have it, for no id has a colon."""
    return f"refunds:{provider}"


def dispute_id(dispute_id: str) -> str:
    """Natural id of the workflow that sees a dispute through."""
    return f"dispute/{dispute_id}"


def movements_id(provider: str) -> str:
    """Return the id of the look at a provider's movements that its events have started."""
    return f"movements/{provider}"


def reconciliation_id(provider: str, day: str) -> str:
    """Natural id of a day's reconciliation."""
    return f"reconciliation/{provider}/{day}"


def object_check_id(provider: str, object_id: str) -> str:
    """Natural id of the look at an object of the gateway that nobody here has requested."""
    return f"check/{provider}/{object_id}"


def reconciliation_schedule(provider: str) -> str:
    """Name of the schedule of a provider's reconciliation: no definition can have it, for no id has a colon."""
    return f"reconciliation:{provider}"


# Name and id of the ledger's nightly audit; Temporal adds the scheduled moment to the id.
AUDIT_SCHEDULE = "audit:daily"
AUDIT = "ledger-audit"


def sweep_id(provider: str) -> str:
    """Id of the look through a provider's events; Temporal adds the scheduled moment."""
    return f"events/{provider}"


def sweep_schedule(provider: str) -> str:
    """Name of the schedule of a provider's sweep: no definition can have it, for no id has a colon."""
    return f"events:{provider}"


# Name and id of the comparison of what is open with its workflows; Temporal adds the scheduled moment to the id.
SUPERVISOR_SCHEDULE = "supervisor:all"
SUPERVISOR = "supervisor"


def report_id(schedule_id: str, period: str) -> str:
    """Natural id of the report of a schedule for a period; `scheduled` and the moment are what a schedule starts."""
    return f"report/{schedule_id}/{period}"


def report_schedule(schedule_id: str) -> str:
    """Name of the schedule of a report: no definition can have it, for no id has a colon."""
    return f"report:{schedule_id}"


def witness_schedule(installation: str) -> str:
    """Name of the schedule whose note remembers how far a database has counted; no definition's id has a colon."""
    return f"witness:{installation}"


def shadow_run_id(definition_id: str, period: str) -> str:
    """Natural id of a shadow run."""
    return f"shadow/{definition_id}/{period}"


def mailing_id(occasion: str) -> str:
    """Id of the sending that a run, or a message that a person sends again, is the occasion of."""
    return f"mailing/{occasion}"


def fairness_key(run_id: str) -> str:
    """What a run's calls share the provider's rate by. A key has at most 64 bytes; the end tells runs apart best."""
    return run_id[-64:]


def shard_id(run_id: str, shard: int) -> str:
    """Id of one shard of a run."""
    return f"{run_id}/shard-{shard:03d}"


def collection_id(account_id: str, period: str) -> str:
    """Natural id of the one owner of a receivable."""
    return f"collection/{account_id}/{period}"


def payment_request_id(request_id: str) -> str:
    """Natural id of the workflow that sees a payment request through."""
    return f"payment-request/{request_id}"


def merchant_connection_id(merchant_id: str) -> str:
    """Natural id of the workflow that looks after a merchant's own account at the gateway."""
    return f"merchant/{merchant_id}"


def collect_activity_id(account_id: str, attempt: int) -> str:
    """Activity id on the timeline, so that an operator can name the payment to pause or reset."""
    return f"collect-{account_id}-{attempt}"
