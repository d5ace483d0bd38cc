"""Reading a registry as Prometheus does."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry

Series = tuple[str, frozenset[tuple[str, str]]]


@dataclass(frozen=True)
class Reading:
    """The samples of a registry."""

    registry: CollectorRegistry

    def __call__(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples with these labels; others may have any value."""
        found = [
            sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert found, f"{name} {labels} is not shown"
        return sum(found)

    def series(self) -> set[Series]:
        """Return name and labels of every sample."""
        return {
            (sample.name, frozenset(sample.labels.items()))
            for family in self.registry.collect()
            for sample in family.samples
        }

    def has(self, name: str) -> bool:
        """Say whether a metric has any sample."""
        return any(name == found for found, _ in self.series())
