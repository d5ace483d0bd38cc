"""The words of what is collected, paid back, disputed and charged."""

from models.operations.states import States

_AT_THE_GATEWAY = ("pending",)
_OPEN_REWARD = ("awarded", "refunding", "paid")

COLLECTION = States(
    "Collection",
    {
        "open": "not over; its workflow says where it stands",
        "collecting": "the gateway is being asked",
        "dunning": "declined, and tried again by the policy",
        "waiting_for_customer": "a new card, an authentication or a payment of the customer is needed",
        "processing": "the gateway has it, and the outcome is to come",
        "unknown": "nobody knows whether it was charged",
        "settled": "nothing is owed any more",
        "given_up": "nothing more is tried; what is owed stays owed",
    },
    stored={"collecting": "open"},
    finer=dict.fromkeys(("collecting", "dunning", "waiting_for_customer", "processing", "unknown"), ("open",)),
    column="collections.stage",
)
ATTEMPT = States(
    "Attempt of a payment, refund or card validation",
    {
        "in_flight": "sent, and not answered yet",
        "succeeded": "the gateway has done it",
        "declined": "the card's issuer, or for a refund the gateway, says no",
        "processing": "the gateway has it, and the outcome is to come",
        "unknown": "nobody knows whether it happened",
        "did_not_happen": "proved not to have happened",
        "invalid_request": "the gateway refuses the request itself",
    },
    stored={"": "in_flight"},
    column="gateway_attempts.outcome",
)
PAYMENT = States(
    "Payment, as a request to the gateway",
    {
        "pending": "written down",
        "under_processing": "an attempt of it is on its way, or another will be made",
        "unknown": "nobody knows whether its last attempt happened",
        "posted": "paid, and in the ledger",
        "rejected": "not paid, and not tried any more",
        "reversed": "paid, and taken back",
    },
    column="gateway_requests.state",
)
INTENT = States(
    "Payment through a gateway, as `payments` shows it: Stripe's states of a payment intent",
    {
        "processing": "an attempt of it is on its way",
        "requires_action": "its customer has to confirm it, or to pay on a page",
        "requires_payment_method": "its last attempt was declined, and another may follow",
        "unknown": "nobody knows whether its last attempt happened",
        "succeeded": "paid, and in the ledger",
        "canceled": "not paid, and not tried any more",
    },
)
REQUEST = States(
    "Request to a gateway, as `requests` shows it (X34)",
    {
        "pending": "written down",
        "under_processing": "an attempt of it is on its way, or nobody knows whether it happened",
        "posted": "done, and in the ledger; it may have been taken back",
        "rejected": "not done, and not tried any more",
    },
)
PAYMENT_REQUEST = States(
    "Payment request, a payment by a link",
    {
        "open": "its link can be paid",
        "processing": "a bank debit was given, and the bank answers days later",
        "unknown": "nobody knows whether it was paid",
        "paid": "paid by its link, or in another way",
        "expired": "its time is over, and its link leads nowhere any more",
        "withdrawn": "asked for no more",
    },
    finer={"unknown": ("open", "processing")},
    column="payment_requests.state",
)
REFUND = States(
    "Refund, payment cancellation",
    {
        "pending": "the gateway has not finished",
        "did_not_happen": "it never left, and is asked for anew",
        "provider_not_effective": "sent when its provider is effective again",
        "unknown": "nobody knows whether money left; it counts as given back",
        "refunded": "paid out, and in the ledger; a bank may still send it back",
        "rejected": "the gateway will not pay it; nothing was posted",
        "reversed": "the money came back, and the ledger has it again",
    },
    stored={"pending": "pending", "under_processing": "pending", "posted": "refunded"},
    finer={"did_not_happen": _AT_THE_GATEWAY, "provider_not_effective": _AT_THE_GATEWAY},
    column="gateway_requests.state",
)
REDUCTION = States(
    "Reduction",
    {
        "awarded": "held until its hold period is over",
        "refunding": "on its way to the customer",
        "paid": "the customer has it, and a bank may still send it back",
        "frozen": "waits, for a payment that it hangs on is disputed",
        "granted": "the customer has it for good",
        "clawed_back": "taken back, for the sale was returned",
        "given_up": "not granted, by a person's decision",
    },
    finer={"frozen": _OPEN_REWARD, "paid": ("refunding",)},
    derived={"paid": "`refunding`, with every part paid"},
    column="reductions.state",
)
REDUCTION_PART = States(
    "Part of a reduction",
    {
        **{word: f"its refund: {meaning}" for word, meaning in REFUND.words.items() if word not in REFUND.finer},
        "credited": "by a credit note",
        "undone": "taken back by new transactions",
    },
    stored=REFUND.stored,
)
DISPUTE = States(
    "Dispute",
    {
        "inquiry": "the bank asks; no money has moved",
        "open": "the bank has the money until it decides",
        "won": "the money came back",
        "lost": "the payment is cancelled, and its invoices are open again",
        "closed": "an inquiry that ended; no money has moved",
    },
    column="disputes.state",
)
CHARGE_BLOCK = States(
    "Entry of the block list",
    {
        "in_force": "what it names is not charged",
        "ended": "its end has come",
        "lifted": "a person has taken it off",
    },
)
CHARGE_HOLD = States(
    "Charge that a rule holds",
    {
        "waiting": "a person decides, or a rule's time ends: nothing of it is sent",
        "released": "goes on for its amount: a person released it, or the system after its rule's time",
        "over": "waits for nobody: paid otherwise, another amount is owed, its time or its collection has ended",
    },
)
CARD = States(
    "Card",
    {
        "registered": "written down",
        "validating": "the gateway checks it, or waits for its holder",
        "active": "may be charged",
        "rejected": "not accepted, never charged",
        "blocked": "not charged: refused for good, its mandate revoked, or stopped by a person",
        "expired": "its last month is over",
        "replaced": "another has taken its place",
        "removed": "taken away, at the gateway too",
    },
    column="cards.state",
)
VALIDATION = States(
    "Validation of a card",
    {
        "accepted": "the card may be charged",
        "rejected": "the gateway or the issuer does not accept it",
        "action_required": "its holder has to confirm it, or to fill in a page",
        **{word: ATTEMPT.words[word] for word in ("processing", "unknown", "did_not_happen", "invalid_request")},
        "provider_not_effective": "asked when its provider is effective again",
    },
)
