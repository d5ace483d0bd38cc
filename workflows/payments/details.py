"""The text an operator reads on a payment request: where it is, what comes next, what they can do, what happened."""

from collections.abc import Mapping
from types import MappingProxyType

from models.moment import in_utc
from models.money import Money
from models.payments.hold import HELD_BY_RULE
from models.payments.payment_request import PaymentRequestInput, PaymentRequestState, PaymentRequestStatus
from workflows.markdown import beginning, listed, paragraphs
from workflows.operator_actions import OperatorAction, actions_text

RECENT = 12

# Nobody knows whether it was paid: the stage that is no state of the row.
UNKNOWN = "unknown"

WHERE: Mapping[str, str] = MappingProxyType(
    {
        PaymentRequestState.OPEN: "waits for its payer",
        PaymentRequestState.PROCESSING: "the payer's bank was asked, and answers days later",
        UNKNOWN: "nobody knows whether it was paid; no other page is opened until there is evidence",
        PaymentRequestState.PAID: "nothing is owed for it any more",
        PaymentRequestState.EXPIRED: "its time is over, and its link leads nowhere any more",
        PaymentRequestState.WITHDRAWN: "asked for no more",
    }
)

_SEND = OperatorAction("send_link", "mails the link once more", "payment-requests send")
_WITHDRAW = OperatorAction("withdraw", "closes its page and asks for it no more", "payment-requests withdraw")
_PAGE = OperatorAction("open_page", "returns the address of a page to pay on", takes_command=False)
_RESOLVE = OperatorAction(
    "resolve_unknown",
    "settles it by the gateway's own id, which is checked, or by the decision `was_not_charged`",
    "payment-requests resolve",
    '"gateway_reference": "pi_..."',
    "--gateway-reference pi_...",
)
_RELEASE = OperatorAction("release_hold", "lets the payment be asked for that a rule holds", "fraud release")
ORDERS: Mapping[str, tuple[OperatorAction, ...]] = MappingProxyType(
    {
        PaymentRequestState.OPEN: (_WITHDRAW, _SEND, _PAGE),
        PaymentRequestState.PROCESSING: (),
        UNKNOWN: (_RESOLVE,),
        PaymentRequestState.PAID: (),
        PaymentRequestState.EXPIRED: (),
        PaymentRequestState.WITHDRAWN: (),
    }
)


def _released(status: PaymentRequestStatus) -> tuple[OperatorAction, ...]:
    return (_RELEASE,) if status.review_reason == HELD_BY_RULE else ()


def details_of(request: PaymentRequestInput, status: PaymentRequestStatus) -> str:
    """Return the current details in Markdown; ids, codes and amounts only: a title may name somebody."""
    if not status.account_id:
        return beginning("open", f"`{request.request_id}` is being written down")
    amount = Money(status.amount_minor, status.currency)
    until = f", until {in_utc(status.expires_at)}" if status.expires_at else ""
    page = f" A page is open, as attempt {status.attempt}." if status.has_page else ""
    return paragraphs(
        f"### {status.stage}: {WHERE[status.stage]}",
        f"`{status.account_id}` is asked for **{amount}** through {request.provider}{until}.{page}",
        f"**A person is needed**: {status.review_reason or 'see below'}" if status.is_in_review else "",
        f"**Next** {in_utc(status.next_action_at)}: {status.next_action}" if status.next_action_at else "",
        listed("What happened", status.history, recent=RECENT),
        actions_text((*_released(status), *ORDERS[status.stage]), target=request.request_id),
    )
