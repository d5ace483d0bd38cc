"""Recipients of messages, and their sender."""

from typing import Any

from activities.messages.rendering import Sender
from tests.support.builders import Merchant

ADA = "ada@example.com"
OPERATORS = "operators@shop.example"
PUBLIC_URL = "https://pay.shop.example"
SENDER = Sender("The Shop <payments@shop.example>", OPERATORS, PUBLIC_URL, "http://ui.example")


async def person(
    merchant: Merchant,
    account_id: str = "acc_ada",
    *,
    name: str = "Ada Lovelace",
    email: str | None = ADA,
    locale: str = "en",
    **account: Any,
) -> str:
    """Open an account of somebody with a name, an address and a language."""
    await merchant.account(account_id, **account)
    await merchant.run(
        "update duly.accounts set owner_name = :name, email = :email, locale = :locale where id = :id",
        id=account_id,
        name=name,
        email=email,
        locale=locale,
    )
    return account_id
