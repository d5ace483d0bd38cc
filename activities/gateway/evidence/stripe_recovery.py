"""What an installation has made at Stripe, and how far its database had counted when it was last kept there."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import stripe

from activities.gateway.clocks import ObservedClock
from activities.gateway.stripe_pages import expire_page
from activities.gateway.translation import metadata_at, optional, translating_errors
from models.gateway.amounts import from_books
from models.gateway.identity import ACCOUNT, ATTEMPT, INSTALLATION, INVOICES, PERIOD, REQUEST, invoices_named
from models.recovery.beat import Beat, parse_beat, write_beat
from models.recovery.recovery import MadeCustomer, MadeKind, MadeObject

_PAGE = 100
_BEAT = "duly_beat"


class StripeRecovery:
    """Reads what was made since a moment; only its own customer and pages that nobody knows of are changed."""

    _client: stripe.StripeClient
    clock: ObservedClock

    async def made_since(self, moment: datetime, installation: str) -> AsyncIterator[MadeObject]:
        """Every payment intent, refund and page of the installation since a moment, payments first."""
        created: Any = {"created": {"gte": int(moment.timestamp())}, "limit": _PAGE}
        with translating_errors():
            intents = await self._client.v1.payment_intents.list_async(created)
            async for intent in intents.auto_paging_iter():
                if _is_ours(intent, installation):
                    yield _payment(intent)
            refunds = await self._client.v1.refunds.list_async(created)
            async for refund in refunds.auto_paging_iter():
                if _is_ours(refund, installation):
                    yield _refund(refund)
            sessions = await self._client.v1.checkout.sessions.list_async(created)
            async for session in sessions.auto_paging_iter():
                if _is_ours(session, installation):
                    yield _page(session)

    async def made_object(self, kind: MadeKind, reference: str) -> MadeObject:
        """Read one of them by its id."""
        with translating_errors():
            match kind:
                case MadeKind.PAYMENT:
                    return _payment(await self._client.v1.payment_intents.retrieve_async(reference))
                case MadeKind.REFUND:
                    return _refund(await self._client.v1.refunds.retrieve_async(reference))
                case MadeKind.PAGE:
                    return _page(await self._client.v1.checkout.sessions.retrieve_async(reference))

    async def customers_since(self, moment: datetime, installation: str) -> list[MadeCustomer]:
        """Read the customers that the installation made for accounts since a moment, the oldest first."""
        with translating_errors():
            found = await self._client.v1.customers.list_async(
                {"created": {"gte": int(moment.timestamp())}, "limit": _PAGE}
            )
            customers = [
                MadeCustomer(account, customer.id)
                async for customer in found.auto_paging_iter()
                if _is_ours(customer, installation) and (account := metadata_at(customer).get(ACCOUNT))
            ]
        return customers[::-1]

    async def newest_keys(self, installation: str) -> list[str]:
        """Read one page of payment intents and one of refunds, the newest there are."""
        with translating_errors():
            intents = await self._client.v1.payment_intents.list_async({"limit": _PAGE})
            refunds = await self._client.v1.refunds.list_async({"limit": _PAGE})
        both: list[Any] = [*intents.data, *refunds.data]
        return [metadata_at(each).get(ATTEMPT, "") for each in both if _is_ours(each, installation)]

    async def close_unknown_page(self, reference: str) -> None:
        """Expire the session, unless it is over by now."""
        with translating_errors():
            await expire_page(self._client, reference)

    async def recall_beat(self, installation: str) -> Beat | None:
        """Read the metadata of the customer that stands for the installation."""
        with translating_errors():
            found = await self._witnesses(installation)
        beats = [beat for each in found if (beat := parse_beat(metadata_at(each).get(_BEAT, "")))]
        return max(beats, key=lambda beat: (beat.epoch, beat.number), default=None)

    async def remember_beat(self, beat: Beat) -> str:
        """Write the metadata of that customer, which is made when there is none; return its id."""
        metadata = {_BEAT: write_beat(beat), INSTALLATION: beat.installation}
        with translating_errors():
            found = await self._witnesses(beat.installation)
            if not found:
                email = _email(beat.installation)
                made = await self._client.v1.customers.create_async(
                    {"email": email, "description": "Duly: how far its database has counted", "metadata": metadata}
                )
                return made.id
            await self._client.v1.customers.update_async(found[0].id, {"metadata": metadata})
            return found[0].id

    async def _witnesses(self, installation: str) -> list[stripe.Customer]:
        # By its address: the database, which may have forgotten it, has no part in finding it.
        return (await self._client.v1.customers.list_async({"email": _email(installation), "limit": _PAGE})).data


def _is_ours(found: Any, installation: str) -> bool:
    metadata = metadata_at(found)
    # What 0.1.0 made names its installation in the key alone.
    return metadata.get(INSTALLATION) == installation or metadata.get(ATTEMPT, "").startswith(f"{installation}:")


def _email(installation: str) -> str:
    return f"{installation}@duly.invalid"


def _payment(intent: stripe.PaymentIntent) -> MadeObject:
    method = optional(intent, "payment_method") or optional(optional(intent, "last_payment_error"), "payment_method")
    token = method if isinstance(method, str) else optional(method, "id")
    return _made(
        MadeKind.PAYMENT,
        intent,
        metadata_at(intent),
        intent.amount,
        customer=str(optional(intent, "customer") or ""),
        token=token or "",
        invoices=invoices_named(metadata_at(intent).get(INVOICES, "")),
        application_fee_minor=from_books(intent.currency, optional(intent, "application_fee_amount") or 0)[1][0],
        destination=_destination(intent),
    )


def _destination(intent: stripe.PaymentIntent) -> str:
    """Return the account to which the money goes on; none of most payments."""
    given = optional(intent, "transfer_data")
    return str(optional(given, "destination") or "")


def _refund(refund: stripe.Refund) -> MadeObject:
    return _made(
        MadeKind.REFUND,
        refund,
        metadata_at(refund),
        refund.amount,
        payment_reference=str(optional(refund, "payment_intent") or ""),
    )


def _page(session: stripe.checkout.Session) -> MadeObject:
    return _made(
        MadeKind.PAGE,
        session,
        metadata_at(session),
        optional(session, "amount_total") or 0,
        customer=str(optional(session, "customer") or ""),
        is_open=optional(session, "status") == "open",
    )


def _made(kind: MadeKind, found: Any, metadata: Mapping[str, str], amount: int, **details: Any) -> MadeObject:
    currency, (amount_minor,) = from_books(optional(found, "currency") or "eur", amount)
    return MadeObject(
        kind,
        found.id,
        metadata.get(ATTEMPT, ""),
        metadata.get(ACCOUNT, ""),
        amount_minor,
        currency,
        datetime.fromtimestamp(found.created, UTC),
        period=metadata.get(PERIOD, ""),
        request_id=metadata.get(REQUEST, ""),
        purpose=metadata.get("duly_purpose", ""),
        **details,
    )
