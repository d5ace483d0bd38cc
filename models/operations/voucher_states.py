"""The words of vouchers, and of top-ups of wallets."""

from models.operations.states import States

VOUCHER = States(
    "Voucher",
    {
        "issued": "it is out, and can be redeemed until its last day",
        "redeemed": "an account was paid what it is worth",
        "cancelled": "it is worth nothing any more: credited to who has bought it, or taken back",
        "expired": "nobody has redeemed it by its last day; what it was worth is income",
    },
)

TOP_UP = States(
    "Top-up of a wallet by a run",
    {
        "requested": "its invoice is not settled, and the wallet does not have it",
        "credited": "the wallet has had it since its invoice was settled; what went back has left it",
        "withdrawn": "its invoice was cancelled before it was settled: nothing is owed for it",
    },
)
