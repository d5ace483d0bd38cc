"""The page behind a payment request's link: it shows what is asked for, and its button leads to the gateway's page.

A GET opens nothing: mail scanners and previews follow every link. Only the button's POST asks for a page to pay on.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from babel import Locale
from babel.numbers import format_decimal, parse_decimal
from jinja2 import Environment, select_autoescape
from starlette.responses import HTMLResponse, Response

from activities.messages.rendering import reader_locale
from activities.messages.template_values import money_text, one_line, until_text
from models.gateway.amounts import charge_step
from models.money import Money
from models.payments.payment_request import PaymentRequestState

# So much of what was typed into a form is read.
TYPED_MAX = 20

# Whoever has the link may pay: it is kept out of caches, out of search engines, and from the sites that come next.
PRIVATE_HEADERS = MappingProxyType(
    {
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-robots-tag": "noindex, nofollow",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    }
)
_PAGE = """<!doctype html>
<html lang="{{ lang }}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>body{font:16px/1.5 sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}h1{font-size:1.4rem}
.amount{font-size:1.8rem}p{white-space:pre-line}button{font:inherit;padding:.6rem 1.4rem}</style></head>
<body><h1>{{ title }}</h1>
{% if description %}<p>{{ description }}</p>{% endif %}
{% if files %}<ul>{% for file in files %}
<li><a href="{{ token }}/files/{{ loop.index }}">{{ file }}</a></li>{% endfor %}</ul>{% endif %}
{% if not choice %}<div class="amount">{{ amount }}</div>{% endif %}
<p>{{ text }}</p>
{% if error %}<p role="alert"><strong>{{ error }}</strong></p>{% endif %}
{% if button %}<form method="post">
{% if choice %}<p><label>{{ choice }}<br>
<input name="amount" inputmode="decimal" autocomplete="off" maxlength="20" required value="{{ given }}"></label></p>
{% endif %}
<button type="submit">{{ button }}</button></form>{% endif %}
</body></html>
"""
_TEMPLATE = Environment(autoescape=select_autoescape(default=True, default_for_string=True)).from_string(_PAGE)
# What the page says, by the reader's language and the state of the request.
_TEXTS: Mapping[str, Mapping[str, str]] = json.loads(
    Path(__file__).with_name("payment_page.json").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class LinkedRequest:
    """What a payer may know of the request behind their link; amounts in minor units of its currency."""

    request_id: str
    title: str
    description: str
    state: PaymentRequestState
    currency: str
    payable_minor: int
    paid_minor: int
    least_minor: int
    most_minor: int
    expires_at: datetime
    locale: str
    time_zone: str
    payer: int = 0
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Read the state as the database has it."""
        object.__setattr__(self, "state", PaymentRequestState(self.state))

    @property
    def is_payers_choice(self) -> bool:
        """Say whether the payer chooses the amount."""
        return self.most_minor > 0

    @property
    def is_payable(self) -> bool:
        """Say whether its button leads anywhere."""
        return self.state is PaymentRequestState.OPEN and self.payable_minor > 0


class InvalidAmountError(ValueError):
    """What a payer typed is no amount that the request lets them choose."""


def chosen_amount(request: LinkedRequest, typed: str) -> int:
    """Return the amount that the payer chose, in minor units; 0 where it is fixed. Raises InvalidAmountError."""
    if not request.is_payers_choice:
        return 0
    try:
        written = parse_decimal(typed.strip()[:TYPED_MAX], reader_locale(request.locale), strict=True)
        amount = Money.parse(f"{written:f}", request.currency).amount_minor
    except ValueError as error:
        raise InvalidAmountError(typed) from error
    if not request.least_minor <= amount <= request.most_minor or amount % charge_step(request.currency):
        raise InvalidAmountError(typed)
    return amount


def request_page(request: LinkedRequest, token: str, *, refused: str | None = None) -> Response:
    """Show what is asked for, with its files and a button while it can be paid; `refused` is an amount not taken."""
    locale = reader_locale(request.locale)
    texts = _TEXTS[locale.language]
    word = request.state if request.state is not PaymentRequestState.OPEN or request.is_payable else "nothing"
    amount = Money(request.payable_minor or request.paid_minor, request.currency)
    content = _TEMPLATE.render(
        lang=locale.language,
        title=one_line(request.title),
        description=request.description,
        files=request.files,
        token=token,
        amount=money_text(amount, locale),
        text=texts[word].format(until=until_text(request.expires_at, request.time_zone, locale)),
        button=texts["button"] if request.is_payable else "",
        choice=_limits(request, locale, texts, "choice") if request.is_payable and request.is_payers_choice else "",
        given=_typed(request, locale) if refused is None else refused[:TYPED_MAX],
        error=_limits(request, locale, texts, "refused") if refused is not None else "",
    )
    return HTMLResponse(content, status_code=200 if refused is None else 422, headers=dict(PRIVATE_HEADERS))


def _limits(request: LinkedRequest, locale: Locale, texts: Mapping[str, str], word: str) -> str:
    """Say which amounts may be chosen, and in which steps where the gateway does not take every minor unit."""
    minors = (request.least_minor, request.most_minor, step := charge_step(request.currency))
    least, most, steps = (money_text(Money(minor, request.currency), locale) for minor in minors)
    text = texts[word].format(least=least, most=most)
    return f"{text} {texts['steps'].format(step=steps)}" if step > 1 else text


def _typed(request: LinkedRequest, locale: Locale) -> str:
    """Write the amount that is suggested as its reader would type it."""
    amount = Money(request.payable_minor, request.currency).to_decimal()
    return format_decimal(amount, locale=locale, decimal_quantization=False, group_separator=False)
