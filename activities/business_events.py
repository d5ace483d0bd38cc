"""Where activities say what they have committed: a line in the log, and whoever else has asked to be called."""

from collections.abc import Callable

import structlog

from models.operations.business_events import BusinessEvent

log = structlog.get_logger("duly.business")

Listener = Callable[[BusinessEvent], None]
_listeners: list[Listener] = []


def announce(event: BusinessEvent) -> None:
    """Log an event that is committed, and pass it on. Never before the commit: what is announced is so."""
    log.info(event.name, **event.details())
    for listener in _listeners:
        listener(event)


def listen(listener: Listener) -> Callable[[], None]:
    """Pass every event of this process on to a listener; the function returned ends that."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)
