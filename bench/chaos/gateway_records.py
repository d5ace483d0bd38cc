"""What the gateway has on record, read over its own API as an accountant would: nothing of the product is imported."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

PAGE = 100
READ_SECONDS = 60.0

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class GatewayRecords:
    """Charges that took money, refunds, disputes, and every movement of the balance."""

    charges: tuple[JsonObject, ...]
    refunds: tuple[JsonObject, ...]
    disputes: tuple[JsonObject, ...]
    movements: tuple[JsonObject, ...]

    @property
    def balances(self) -> dict[str, int]:
        """What lies at the gateway, by currency in upper case, in its minor units."""
        found: dict[str, int] = {}
        for each in self.movements:
            currency = each["currency"].upper()
            found[currency] = found.get(currency, 0) + each["net"]
        return found


def read_gateway(url: str, api_key: str) -> GatewayRecords:
    """Read everything, a page at a time."""
    headers = {"Authorization": f"Bearer {api_key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=READ_SECONDS, trust_env=False) as client:
        charges = (each for each in _listed(client, "/v1/charges") if each["status"] == "succeeded")
        return GatewayRecords(
            charges=tuple(charges),
            refunds=tuple(_listed(client, "/v1/refunds")),
            disputes=tuple(_listed(client, "/v1/disputes")),
            movements=tuple(_listed(client, "/v1/balance_transactions")),
        )


def _listed(client: httpx.Client, path: str) -> Iterator[JsonObject]:
    cursor: dict[str, str] = {}
    while True:
        answer = client.get(path, params={"limit": str(PAGE), **cursor}).raise_for_status().json()
        yield from answer["data"]
        if not answer["has_more"]:
            return
        cursor = {"starting_after": answer["data"][-1]["id"]}
