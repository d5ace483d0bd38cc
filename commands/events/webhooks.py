"""The table of needed events, and registering it at the gateway."""

from urllib.parse import urlsplit

from commands.gateway_session import gateway_in_mode
from commands.lists.paging import answer_all
from commands.output import Output, table
from commands.session import read_settings
from models.gateway.errors import GatewayInvalidRequestError
from models.gateway.events import NEEDED, PAGE_EVENTS
from models.problem import refusal
from settings import LOOPBACK, Settings


async def list_needed(output: Output) -> None:
    """List the table."""
    needs = {name: (str(need.subject), need.meaning) for name, need in NEEDED.items()}
    needs |= {name: ("payment or card", tells) for name, tells in PAGE_EVENTS.items()}
    rows = [(name, *needs[name]) for name in sorted(needs)]
    documents = [{"type": name, "subject": subject, "meaning": meaning} for name, subject, meaning in rows]
    answer_all(output, "events", documents, table("", "Event", "About", "Tells that", rows=rows))


async def apply(output: Output, url: str, *, of_merchants: bool = False) -> None:
    """Register the address, or bring its list of events up to date.

    Raises RefusedError, also for a key of the other mode.
    """
    settings = read_settings()
    url = url or f"{settings.public_url}/webhooks/stripe"
    _check(url, settings)
    try:
        async with gateway_in_mode(settings, settings.provider) as gateway:
            endpoint = await gateway.register_endpoint(url, of_merchants=of_merchants)
    except GatewayInvalidRequestError as error:
        raise refusal("url", "gateway_takes_it", error.code) from error
    shown = [("Address", endpoint.url), ("Id", endpoint.reference), ("Change", str(endpoint.change))]
    if endpoint.secret:
        shown.append(("STRIPE_WEBHOOK_SECRET", endpoint.secret))
    output.answer(
        {
            "reference": endpoint.reference,
            "url": endpoint.url,
            "change": str(endpoint.change),
            "secret": endpoint.secret or None,
        },
        table("", "Webhook", "", rows=shown),
    )
    if endpoint.secret:
        output.note("The secret is shown this once: put it into STRIPE_WEBHOOK_SECRET.")


def _check(url: str, settings: Settings) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise refusal("url", "url_is_absolute", f"{url!r} is no http(s) address")
    if settings.is_live and (parts.scheme != "https" or parts.hostname in LOOPBACK):
        raise refusal("url", "live_events_are_encrypted", "a live account sends events to a public https address only")
