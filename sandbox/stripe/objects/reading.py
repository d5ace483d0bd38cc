"""Retrieve and list, for the nouns that need nothing of their own."""

from sandbox.stripe.account_state import World
from sandbox.stripe.jsontypes import Handler, Json
from sandbox.stripe.listing import listed


def by_id(table: str) -> Handler:
    """Retrieves from the world's table of that name."""

    def retrieve(world: World, _params: Json, id: str) -> Json:
        return world.table(table).get(id)

    return retrieve


def page_of(table: str) -> Handler:
    """Lists the world's table of that name, by creation and by whatever else the parameters allow."""

    def list_all(world: World, params: Json) -> Json:
        return listed(world.table(table), params, url=f"/v1/{table}")

    return list_all
