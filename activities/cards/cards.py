"""Cards: written down, validated at the gateway, read again and taken away."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import and_, func, select
from temporalio import activity

from activities.cards.attempt import ValidationAttempt, validation_attempt, validation_outcome
from activities.cards.customers import GatewayCustomers, KnownCustomer
from activities.cards.rows import change_card
from activities.database import Database, RuleBrokenError
from activities.gateway.attempts import GatewayAttempts, GatewayCalls, OutcomeFields, confirmed
from activities.gateway.clocks import Clocks
from activities.gateway.pace import Pace
from activities.gateway.retries import retryable_gateway_errors
from models.cards.card import (
    Card,
    CardChange,
    CardRegistration,
    CardState,
    Refreshed,
    ValidationOutcome,
    ValidationRequest,
    ValidationResolution,
    ValidationResult,
)
from models.gateway.cards import CardData, CardGateway, ValidationAnswer, ValidationStatus
from models.gateway.gateway_request import AttemptOutcome
from models.tables.base import whole_row
from models.tables.configuration import CardRow, GatewayCustomerRow

_CARD = TypeAdapter(Card)
_REFRESHED = TypeAdapter(Refreshed)

_CARDS = select(func.duly.card_view(whole_row(CardRow)))

_WITH_CUSTOMER = (
    select(
        CardRow.token,
        CardRow.brand,
        CardRow.last4,
        CardRow.exp_month,
        CardRow.exp_year,
        CardRow.fingerprint,
        CardRow.mandate_reference,
        GatewayCustomerRow.customer_reference,
    )
    .join(
        GatewayCustomerRow,
        and_(
            GatewayCustomerRow.account_id == CardRow.account_id, GatewayCustomerRow.provider_id == CardRow.provider_id
        ),
    )
    .where(CardRow.token.is_not(None))
)


class CardActivities:
    """Activities of a card's workflow at the gateway. Each is safe to repeat at any point."""

    def __init__(self, database: Database, gateway: CardGateway, clocks: Clocks, pace: Pace, return_url: str) -> None:
        self._database = database
        self._gateway = gateway
        self._pace = pace
        self._return_url = return_url
        self._clocks = clocks
        self._attempts = GatewayAttempts(database, clocks, pace)
        self._customers = GatewayCustomers(database, gateway, pace)

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [
            self.register_card,
            self.validate_card,
            self.end_validation,
            self.resolve_validation,
            self.refresh_card,
            self.remove_card,
            self.detach_card,
        ]

    @activity.defn
    async def register_card(self, registration: CardRegistration) -> Card:
        """Write a card down, and make the account's customer at the gateway if it has none.

        Raises RuleBrokenError naming what must be configured.
        """
        stored = await self._database.call(
            "register_card",
            card_id=registration.card_id,
            account_id=registration.account_id,
            provider_id=registration.provider,
            method=registration.method,
            token=registration.token,
            is_recurring=registration.is_recurring,
            fallback_order=registration.fallback_order,
            is_preferred=registration.is_preferred,
            replaces=registration.replaces,
        )
        await self._customers.have(
            KnownCustomer(
                registration.account_id,
                registration.provider,
                stored["customer"],
                stored["installation"],
                stored["is_effective"],
            )
        )
        return _CARD.validate_python(stored["card"])

    @activity.defn
    async def validate_card(self, request: ValidationRequest) -> ValidationResult:
        """Validate a card at the gateway, or report what an earlier call of the same attempt came to.

        A provider that is not effective is asked nothing new, nor about what is blocked (its code says so):
        then the attempt is not made, and nothing is written.
        Raises ApplicationError as Clocks.open and GatewayAttempts.make do: after each the same attempt is made again.
        """
        opened = await self._clocks.open("open_validation", card_id=request.card_id, attempt=request.attempt)
        if opened.get("is_waiting"):
            return ValidationResult(
                ValidationOutcome.PROVIDER_NOT_EFFECTIVE, request.attempt, code=opened.get("code") or ""
            )
        attempt = validation_attempt(opened)
        return attempt.result() if attempt.stored.is_final else await self._make(attempt, self._calls(attempt))

    @activity.defn
    async def end_validation(self, request: ValidationRequest) -> ValidationResult:
        """End an attempt that waits for the card's holder, and record how it ended, perhaps well at the last moment."""
        attempt = await self._read(request)
        if attempt.stored.is_final:
            return attempt.result()
        if attempt.stored.gateway_reference:
            end = self._gateway.close_card_page if attempt.is_hosted else self._gateway.end_validation
            with retryable_gateway_errors():
                await end(attempt.stored.gateway_reference)
        return await self._make(attempt, replace(self._calls(attempt), send=None))

    @activity.defn
    async def resolve_validation(self, found: ValidationResolution) -> ValidationResult:
        """Settle an attempt whose outcome nobody knew, by a gateway id that is checked there, or by decision.

        Raises RuleBrokenError when the attempt has an outcome by now, or the id is another validation's.
        """
        attempt = await self._read(ValidationRequest(found.card_id, "", found.attempt))
        if attempt.stored.is_final:
            raise RuleBrokenError("outcome_is_unknown", f"card: attempt {found.attempt} has an outcome")
        answer = await confirmed(self._calls(attempt).find, found.resolution.gateway_reference)
        person = {"actor": found.resolution.actor, "reason": found.resolution.reason}
        return (await self._record(attempt, validation_outcome(answer) | person, answer)).result(answer)

    @activity.defn
    async def refresh_card(self, card_id: str) -> Refreshed:
        """Read a stored card as the gateway has it now, and take over what has changed."""
        stored_card = await self._database.read_first(_WITH_CUSTOMER.where(CardRow.id == card_id))
        if stored_card is None:
            (stored,) = await self._database.read(_CARDS.where(CardRow.id == card_id))
            return Refreshed(_CARD.validate_python(stored[0]), is_changed=False)
        known = stored_card._asdict()
        customer = known.pop("customer_reference")
        with retryable_gateway_errors():
            async with self._pace:
                found = await self._gateway.read_card(
                    known["token"], customer=customer, mandate=known["mandate_reference"]
                )
        data = found or CardData(**known, is_attached=False)
        return _REFRESHED.validate_python(await self._database.call("refresh_card", card_id=card_id, card=asdict(data)))

    @activity.defn
    async def remove_card(self, change: CardChange) -> Card:
        """Take a card away: first here, so that nobody charges it any more, then at the gateway.

        A page or a confirmation on which its holder could still save it is ended, and what it saved is detached.
        """
        removed = await change_card(self._database, replace(change, state=CardState.REMOVED))
        await self.detach_card(change.card_id)
        if removed.attempt:
            await self.end_validation(ValidationRequest(change.card_id, removed.provider, removed.attempt))
        return removed

    @activity.defn
    async def detach_card(self, card_id: str) -> None:
        """Take a card that is not used any more from its customer at the gateway."""
        is_unused = CardRow.state.in_((CardState.REPLACED, CardState.REMOVED))
        unused = select(CardRow.token).where(CardRow.id == card_id, CardRow.token.is_not(None), is_unused)
        for row in await self._database.read(unused):
            with retryable_gateway_errors():
                await self._gateway.detach_card(row.token)

    async def _read(self, request: ValidationRequest) -> ValidationAttempt:
        opened = await self._database.call(
            "open_validation", card_id=request.card_id, attempt=request.attempt, is_sent=False
        )
        return validation_attempt(opened)

    async def _make(self, attempt: ValidationAttempt, calls: GatewayCalls[ValidationAnswer]) -> ValidationResult:
        made = await self._attempts.make(attempt.stored, calls)
        outcome, answer = made
        recorded = await self._record(attempt, outcome, answer)
        if recorded.stored.outcome is AttemptOutcome.SUCCEEDED:
            # It may have been taken away meanwhile, and the gateway has just saved it.
            await self.detach_card(attempt.validation.card_id)
        return recorded.result(answer)

    def _calls(self, attempt: ValidationAttempt) -> GatewayCalls[ValidationAnswer]:
        is_open_page = attempt.is_hosted and attempt.stored.gateway_reference
        return GatewayCalls(
            lambda reference: self._find(attempt, reference),
            validation_outcome,
            send=None if is_open_page else lambda: self._send(attempt),
        )

    async def _send(self, attempt: ValidationAttempt) -> ValidationAnswer:
        if not attempt.is_hosted:
            return await self._gateway.validate_card(attempt.validation, return_url=self._return_url)
        page = await self._gateway.open_card_page(attempt.validation, return_url=self._return_url)
        return ValidationAnswer(
            ValidationStatus.ACTION_REQUIRED, page.gateway_reference, url=page.url, expires_at=page.expires_at
        )

    async def _find(self, attempt: ValidationAttempt, reference: str) -> ValidationAnswer | None:
        find = self._gateway.find_card_page if attempt.is_hosted else self._gateway.find_validation
        return await find(attempt.validation, gateway_reference=reference)

    async def _record(
        self, attempt: ValidationAttempt, outcome: OutcomeFields, answer: ValidationAnswer | None
    ) -> ValidationAttempt:
        recorded = await self._database.call(
            "record_validation",
            request_id=attempt.stored.request_id,
            attempt=attempt.stored.number,
            **{"gateway_reference": "", "code": "", "decline_code": "", **outcome},
            card=asdict(answer.card) if answer and answer.card else {},
        )
        return validation_attempt(recorded)
