"""Bank debits as a gateway that answers later: a charge is a row for the next file, and statements say how it ended."""

from datetime import UTC, datetime
from typing import Any

from activities.database import Database
from activities.gateway.clocks import ObservedClock, elapsed
from models.bank.debit import DebitState
from models.bank.working_days import announced_collection
from models.gateway.charges import Charge, ChargeResult, ChargeStatus
from models.gateway.decline import Decline
from models.gateway.errors import GatewayInvalidRequestError
from models.gateway.gateway_request import ANSWERS_LATER
from models.gateway.refunds import RefundAnswer, RefundCall

_STATUS = {
    DebitState.PENDING: ChargeStatus.PROCESSING,
    DebitState.EXPORTED: ChargeStatus.PROCESSING,
    DebitState.REJECTED: ChargeStatus.DECLINED,
    DebitState.COLLECTED: ChargeStatus.SUCCEEDED,
    # Its payment was posted, and undone by what took it back.
    DebitState.RETURNED: ChargeStatus.SUCCEEDED,
}


class BankDebitGateway:
    """The port's calls on rows of our own: nothing is sent from here. A person gives the files to the bank."""

    def __init__(self, database: Database, provider: str) -> None:
        self._database = database
        self._provider = provider
        self.clock = ObservedClock()

    async def charge(self, charge: Charge) -> ChargeResult:
        """Ask for a debit on the first day that notice and bank allow; a key means one debit."""
        found = await self._database.call(
            "debit_terms", idempotency_key=charge.idempotency_key, provider_id=self._provider
        )
        terms = {name: found[name] for name in ("notice_days", "lead_days", "cut_off", "time_zone")}
        collect_on = announced_collection(datetime.now(UTC), **terms)
        return _result(
            await self._database.call("request_debit", idempotency_key=charge.idempotency_key, collect_on=collect_on)
        )

    async def find_charge(self, charge: Charge, *, gateway_reference: str) -> ChargeResult | None:
        """Read what became of the attempt's debit. None: it was never asked for, and that is certain."""
        found = await self._database.call("debit_of_attempt", idempotency_key=charge.idempotency_key)
        if found is not None and gateway_reference and found["id"] != gateway_reference:
            raise GatewayInvalidRequestError("another_payment")
        return _result(found) if found is not None else None

    async def find_page_payment(
        self,
        charge: Charge,  # noqa: ARG002
        *,
        gateway_reference: str,  # noqa: ARG002
    ) -> ChargeResult | None:
        """Return nothing: nobody pays a debit on a page."""
        return None

    async def read_fingerprint(self, token: str) -> str:  # noqa: ARG002  # the port's
        """Return nothing: a mandate has no other token."""
        return ""

    async def refund(self, call: RefundCall) -> RefundAnswer:  # noqa: ARG002  # the port's
        """Refuse: a debit is given back by a transfer, which `refunds export` writes."""
        raise GatewayInvalidRequestError("refund_by_transfer")

    async def find_refund(
        self,
        call: RefundCall,  # noqa: ARG002
        *,
        gateway_reference: str,  # noqa: ARG002
    ) -> RefundAnswer | None:
        """Return nothing: none was ever made."""
        return None

    async def verify(self) -> None:
        """Read the database's clock: it is the clock of whatever happens here."""
        sent = elapsed()
        rows = await self._database.rows("select clock_timestamp() as now")
        self.clock.note(rows[0].now, rows[0].now, sent=sent, received=elapsed())

    async def close(self) -> None:
        """Let go of nothing."""


def _result(debit: dict[str, Any]) -> ChargeResult:
    status = _STATUS[DebitState(debit["state"])]
    if status is ChargeStatus.DECLINED:
        return ChargeResult(status, debit["id"], decline=Decline(debit["code"]))
    return ChargeResult(status, debit["id"], code=ANSWERS_LATER if status is ChargeStatus.PROCESSING else "")
