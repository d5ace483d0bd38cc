"""Checkout's branding: a session asks for it over what its account has, and what Stripe refuses is refused."""

from typing import Any

import httpx
import pytest
from stripe import InvalidRequestError, StripeClient
from stripe.checkout import Session

from tests.sandbox.pages.hosted import SUCCESS, page_of


def session_with(client: StripeClient, branding: dict[str, Any], **other: Any) -> Session:
    """A page for a plan, with a branding."""
    price = {"currency": "eur", "unit_amount": 1900, "product_data": {"name": "Plan"}}
    asked: Any = {
        "mode": "payment",
        "success_url": SUCCESS,
        "line_items": [{"quantity": 1, "price_data": price}],
        "branding_settings": branding,
    }
    return client.v1.checkout.sessions.create(asked | other)


def test_a_page_has_the_branding_that_was_asked_for_and_of_the_rest_the_accounts(
    stripe_sdk: StripeClient, browser: httpx.Client
) -> None:
    logo = {"type": "url", "url": "https://example.com/logo.png"}
    session = session_with(
        stripe_sdk, {"display_name": "Café Lumen", "button_color": "#336699", "font_family": "", "logo": logo}
    )
    read: Any = stripe_sdk.v1.checkout.sessions.retrieve(session.id).branding_settings

    assert read.to_dict() == {
        "background_color": "#ffffff",
        "border_style": "rounded",
        "button_color": "#336699",
        "display_name": "Café Lumen",
        "font_family": "default",
        "icon": None,
        "logo": logo,
    }
    assert "Café Lumen" in browser.get(page_of(session)).text


def test_an_account_has_the_colours_that_it_is_made_with_and_no_others(stripe_sdk: StripeClient) -> None:
    asked: Any = {"type": "standard", "settings": {"branding": {"primary_color": "#336699"}}}
    made: Any = stripe_sdk.v1.accounts.create(asked)
    plain: Any = stripe_sdk.v1.accounts.create({"type": "standard"})
    asked["settings"]["branding"] = {"secondary_color": "blue"}
    with pytest.raises(InvalidRequestError) as refused:
        stripe_sdk.v1.accounts.create(asked)

    none = {"icon": None, "logo": None, "primary_color": None, "secondary_color": None}
    assert made.settings.branding.to_dict() == none | {"primary_color": "#336699"}
    assert plain.settings.branding.to_dict() == none
    assert refused.value.param == "settings[branding][secondary_color]"


@pytest.mark.parametrize(
    ("branding", "param"),
    [
        ({"button_color": "red"}, "branding_settings[button_color]"),
        ({"background_color": "#12345"}, "branding_settings[background_color]"),
        ({"border_style": "wavy"}, "branding_settings[border_style]"),
        ({"logo": {"type": "url"}}, "branding_settings[logo][url]"),
        ({"icon": {"type": "url", "url": "logo.png"}}, "branding_settings[icon][url]"),
        ({"icon": {"type": "file", "file": "file_1", "url": "https://a.example"}}, "branding_settings[icon][url]"),
        ({"icon": {"type": "file", "file": "file_1"}}, "branding_settings[icon][file]"),
    ],
)
def test_what_is_no_branding_is_refused_by_the_name_of_its_field(
    stripe_sdk: StripeClient, branding: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        session_with(stripe_sdk, branding)

    assert refused.value.param == param


def test_where_there_is_no_page_of_stripes_there_is_no_branding(stripe_sdk: StripeClient) -> None:
    with pytest.raises(InvalidRequestError, match="not allowed"):
        session_with(stripe_sdk, {"display_name": "Café"}, ui_mode="elements")
