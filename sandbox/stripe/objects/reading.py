"""Retrieve and list, for the nouns that need nothing of their own."""

from sandbox.stripe.api.listing import listed
from sandbox.stripe.jsontypes import Handler, Json
from sandbox.stripe.state.account_state import AccountState


def by_id(table: str) -> Handler:
    """Retrieves from the account's table of that name."""

    def retrieve(state: AccountState, _params: Json, id: str) -> Json:
        return state.table(table).get(id)

    return retrieve


def page_of(table: str) -> Handler:
    """Lists the account's table of that name, by creation and by whatever else the parameters allow."""

    def list_all(state: AccountState, params: Json) -> Json:
        return listed(state.table(table), params, url=f"/v1/{table}")

    return list_all
