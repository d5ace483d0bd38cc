"""Events that came by the gateway's own list, as logs and metrics name them: its webhook had not brought them."""

from dataclasses import dataclass

from models.operations.event_names import EventName


@dataclass(frozen=True)
class EventsSwept:
    """The gateway's own list had events that its webhook has not brought."""

    provider: str
    found: int

    @property
    def name(self) -> EventName:
        """That a sweep found some."""
        return EventName.EVENTS_SWEPT

    def details(self) -> dict[str, object]:
        """Whose, and how many."""
        return {"provider": self.provider, "found": self.found}
