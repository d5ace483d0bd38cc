"""Whom each kind of message is for is one list, in the rules, in the functions and in the table's check."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from models.messages.message import FOR_CUSTOMERS, Audience, MessageKind
from tests.support.builders import Merchant


@pytest.mark.parametrize("kind", MessageKind)
async def test_the_database_knows_whom_a_kind_is_for(
    merchant: Merchant, owner_engine: AsyncEngine, kind: MessageKind
) -> None:
    account = await merchant.account()

    statement = (
        "insert into duly.messages (id, audience, kind, account_id, parameters)"
        " values (:id, duly.audience_of(:kind), :kind, :account, '{}') returning audience"
    )
    async with owner_engine.begin() as connection:
        rows = await connection.execute(text(statement), {"id": f"{kind}/1", "kind": kind, "account": account})
        audience = rows.scalar_one()

    wanted = Audience.CUSTOMER if kind in FOR_CUSTOMERS else Audience.OPERATOR
    assert audience == wanted
