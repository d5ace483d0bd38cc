"""What gives value away, by the command that does it, and asking another person for it beforehand."""

from collections.abc import Mapping
from types import MappingProxyType

from activities.console.approvals import Approvals
from commands.output import Output, table
from commands.session import database_of, read_settings
from models.console.approval import LimitedKind
from models.money import Money, MoneyError
from models.problem import refusal

_K = LimitedKind
# Each command that may give value away on a person's word, with what it gives. All pass duly.require_alone.
GIVING: Mapping[str, frozenset[LimitedKind]] = MappingProxyType(
    {
        "transactions create": frozenset({_K.CREDIT_NOTE, _K.PAYMENT, _K.REFUND}),
        "transactions post": frozenset({_K.CREDIT_NOTE, _K.PAYMENT, _K.REFUND}),
        "transactions cancel": frozenset({_K.CANCELLATION}),
        "transactions write-off": frozenset({_K.WRITE_OFF}),
        "transactions quick-pay": frozenset({_K.PAYMENT}),
        "transactions move": frozenset({_K.MOVE, _K.SUSPENSE_MOVE}),
        "bills quick-pay": frozenset({_K.PAYMENT}),
        "collections mark-paid": frozenset({_K.PAYMENT}),
        "refunds create": frozenset({_K.REFUND, _K.CREDIT_NOTE}),
        "refunds cancel": frozenset({_K.REFUND}),
        "refunds export": frozenset({_K.REFUND_FILE}),
        "refunds release": frozenset({_K.REFUND_FILE}),
        "debits export": frozenset({_K.DEBIT_FILE}),
        "debits release": frozenset({_K.DEBIT_FILE}),
        "wallets pay": frozenset({_K.PAYMENT}),
        "wallets credit": frozenset({_K.WALLET_CREDIT}),
        "vouchers issue": frozenset({_K.VOUCHER}),
        "vouchers cancel": frozenset({_K.CREDIT_NOTE}),
        "import bank": frozenset({_K.STATEMENT}),
        "disputes accept": frozenset({_K.DISPUTE}),
    }
)


def kind_given(given: str) -> LimitedKind:
    """Read a kind as the command line has it. Raises RefusedError (kind_known)."""
    try:
        kind = LimitedKind(given.replace("-", "_"))
    except ValueError:
        kind = None
    # A file asks by itself.
    if kind is None or kind in {_K.REFUND_FILE, _K.DEBIT_FILE}:
        known = ", ".join(one.value.replace("_", "-") for one in LimitedKind if not one.value.endswith("_file"))
        raise refusal("kind", "kind_known", f"{given!r} is none of {known}")
    return kind


async def ask(
    output: Output, kind: LimitedKind, amount: str, currency: str, account: str, *, actor: str, reason: str
) -> None:
    """Ask another person for an amount that its asker then gives away. Raises RefusedError: it is no amount."""
    try:
        asked = Money.parse(amount, currency)
    except MoneyError as error:
        raise refusal("amount", "amount_valid", str(error)) from error
    async with database_of(read_settings()) as database:
        id = await Approvals(database).ask_to_give(
            kind, account, asked.amount_minor, currency, user_id=actor, reason=reason
        )
    rows = [("Waits as", id), ("Approve", f"duly approvals approve {id}")]
    output.answer({"approval": id, "state": "waiting"}, table("", "Asked for", str(asked), rows=rows))
