"""What the simulation assumes: everything that is not measured, read from a file."""

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter

FILE = Path(__file__).parent / "parameters.toml"


@dataclass(frozen=True)
class Cluster:
    """What one history shard and one partition of a task queue do in a second."""

    writes_per_shard_and_second: float
    tasks_per_partition_and_second: float
    partitions_least: int
    shards_least: int


@dataclass(frozen=True)
class DatabaseLimits:
    """The connections that the server takes and a process holds."""

    connections_max: int
    pool: int


@dataclass(frozen=True)
class CloudPrices:
    """Temporal Cloud's price list of a day, in dollars; tiers are millions of actions a month and their price."""

    read_on: date
    tiers: tuple[tuple[int, float], ...]
    fairness_percent: float
    active_gib_hour: float
    retained_gib_hour: float
    support_percent: float
    support_least: float
    actions_per_second: int

    def of_actions(self, actions: float) -> float:
        """Return what so many actions of one month cost."""
        cost, paid = 0.0, 0.0
        for upto, price in self.tiers:
            in_tier = min(actions, upto * 1e6) - paid
            if in_tier <= 0:
                return cost
            cost += in_tier / 1e6 * price
            paid += in_tier
        return cost + (actions - paid) / 1e6 * self.tiers[-1][1]

    def with_support(self, usage: float) -> float:
        """Return what a month's usage costs together with the plan."""
        return usage + max(self.support_least, usage * self.support_percent / 100)


@dataclass(frozen=True)
class OwnPrices:
    """What an own machine costs on a day, in dollars; disks are kept in so many copies."""

    read_on: date
    core_hour: float
    ssd_gib_month: float
    copies: int


@dataclass(frozen=True)
class Parameters:
    """All of them."""

    accounts: tuple[int, ...]
    months: int
    gateway_calls_per_second: float
    declined_percent: float
    heartbeats_per_payment: float
    retention_days: float
    busy_share: float
    cluster: Cluster
    database: DatabaseLimits
    cloud: CloudPrices
    self_hosted: OwnPrices


def read_parameters(file: Path = FILE) -> Parameters:
    """Read a file of parameters."""
    return TypeAdapter(Parameters).validate_python(tomllib.loads(file.read_text(encoding="utf-8")))
