"""The text an operator reads on a merchant's connection: where it is, what is missing, and what they can do."""

from collections.abc import Mapping
from types import MappingProxyType

from models.merchants.account import ConnectionState
from models.merchants.connection import CONNECTING, MerchantConnectionInput, MerchantConnectionStatus
from models.moment import in_utc
from workflows.markdown import listed, paragraphs
from workflows.operator_actions import OperatorAction, actions_text

RECENT = 12

WHERE: Mapping[str, str] = MappingProxyType(
    {
        CONNECTING: "its account is being made at the gateway",
        ConnectionState.PENDING: "its owner is at the gateway's pages, or the gateway is checking",
        ConnectionState.INCOMPLETE: "its owner has to bring what is missing",
        ConnectionState.SUCCESSFUL: "it is paid on its own account",
        ConnectionState.RESTRICTED: "the gateway lets it take no payments",
        ConnectionState.DISCONNECTED: "nothing new is asked for on its account",
    }
)

_CHECK = OperatorAction("check_now", "reads the account again", "merchants refresh")
_DISCONNECT = OperatorAction("disconnect", "stops new payments at once; the account lives on", "merchants disconnect")
_PAGE = OperatorAction(
    "open_page", "returns a page of the gateway's for its owner, good for minutes", takes_command=False
)
ORDERS: Mapping[str, tuple[OperatorAction, ...]] = MappingProxyType(
    {
        CONNECTING: (_DISCONNECT,),
        ConnectionState.PENDING: (_CHECK, _PAGE, _DISCONNECT),
        ConnectionState.INCOMPLETE: (_CHECK, _PAGE, _DISCONNECT),
        ConnectionState.SUCCESSFUL: (_CHECK, _PAGE, _DISCONNECT),
        ConnectionState.RESTRICTED: (_CHECK, _PAGE, _DISCONNECT),
        ConnectionState.DISCONNECTED: (),
    }
)


def details_of(request: MerchantConnectionInput, status: MerchantConnectionStatus) -> str:
    """Return the current details in Markdown; ids and codes only: an e-mail names somebody."""
    account = f"as `{status.gateway_account}` " if status.gateway_account else ""
    due = f", by {in_utc(status.due_at)}" if status.due_at else ""
    return paragraphs(
        f"### {status.stage}: {WHERE[status.stage]}",
        f"`{request.merchant_id}` {account}through {request.provider}. {status.reason}".strip(),
        f"**Missing**{due}: {', '.join(f'`{one}`' for one in status.missing)}" if status.missing else "",
        f"**A person is needed**: {status.review_reason or 'see below'}" if status.is_in_review else "",
        f"**Next** {in_utc(status.next_action_at)}: {status.next_action}" if status.next_action_at else "",
        listed("What happened", status.history, recent=RECENT),
        actions_text(ORDERS[status.stage], target=request.merchant_id),
    )
