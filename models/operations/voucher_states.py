"""The words of vouchers."""

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
