"""The words of refunds through the bank, and of mandates, bank debits and their files."""

from models.operations.states import States

MANDATE = States(
    "Mandate",
    {
        "created": "given to its payer to sign",
        "signed": "may be debited; the next debit is its first",
        "active": "may be debited",
        "suspended": "the payer's bank has stopped it",
        "cancelled": "ended by its payer, or by us",
        "expired": "nothing was collected by it for 36 months",
    },
    column="mandates.state",
)
DEBIT = States(
    "Bank debit",
    {
        "pending": "waits for its file",
        "exported": "in a file; the bank has not answered for certain",
        "rejected": "refused before any money moved",
        "collected": "a statement has brought the money",
        "returned": "the money was taken back",
    },
    column="debits.state",
)
DEBIT_BATCH = States(
    "File of bank debits",
    {"written": "made, and perhaps not with the bank", "sent": "given to the bank"},
    column="debit_batches.state",
)
DEBIT_ANSWER = States(
    "Bank debit, by an answer of the bank",
    {
        "rejected": "declined",
        "waiting": "accepted so far: its statement will say",
        "unchanged": "the answer had been applied before",
    },
)
BANK_REFUND = States(
    "Refund through the bank, after an answer",
    {
        "pending": "the bank has not said",
        "posted": "the bank has paid it",
        "rejected": "the bank will not pay it",
        "unchanged": "it was so already",
    },
)
BANK_REFUNDS = States(
    "Month of refunds through the bank, drafted by the schedule",
    {
        "waiting": "nothing is paid before a person releases the file",
        "released": "the bank's file may be written",
        "rejected": "every draft was rejected; what is due comes with the next month",
        "empty": "nobody was in credit",
    },
    column="bank_refund_months.state",
)
