"""The words of accounts and of what is in the ledger."""

from models.operations.states import States

TRANSACTION = States(
    "Invoice, and every other financial transaction",
    {
        "draft": "moves no balance",
        "posted": "in the books",
        "settled": "posted, and nothing is left to settle",
        "rejected": "a draft that was turned down",
        "cancelled": "undone by another transaction",
        "written_off": "a debt that was given up",
    },
    finer={"settled": ("posted",)},
    derived={"settled": "`posted`, with nothing unsettled"},
    column="financial_transactions.state",
)
ACCOUNT = States(
    "Account",
    {
        "active": "in use",
        "suspended": "gets no service; what it owes is collected",
        "terminated": "takes no new transactions",
    },
    column="accounts.state",
)
SUSPENSE = States("Payment in suspense", {"waiting": "nobody knows whose it is"})
BILL = States(
    "Bill of an account and month",
    {
        "posted": "made, and not presented yet",
        "presented": "the account has it, and has not answered",
        "confirmed": "the account takes it as it is",
        "rejected": "the account does not: credit what is wrong, and present it again",
    },
)
