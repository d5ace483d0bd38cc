"""The log set-up: our lines and those of libraries, in one format."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from temporalio import activity, workflow

from models.card_number import without_card_numbers
from settings.fields import LogFormat, Settings

# Keys of Stripe, secrets that sign its events, and who logs in at an address.
_SECRET = re.compile(r"\b(?:[sr]k_(?:live|test)|whsec)_[A-Za-z0-9]{8,}|(?<=://)[^\s/:@]*:[^\s/@]+(?=@)")

# Libraries that write bodies, addresses or every statement when they are talkative.
_QUIET = ("stripe", "aiohttp", "httpx", "sqlalchemy", "psycopg", "asyncio")


def configure_logging(settings: Settings, *, is_typed: bool = False) -> None:
    """Send our lines and everybody else's through one formatter to standard error, Temporal's ids bound.

    Where no format is set, whoever has typed a command at a terminal gets lines to read, and everything else JSON.
    """
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _bind_temporal_ids,
    ]
    is_for_reading = is_typed and sys.stderr.isatty()
    is_json = (settings.log_format or (LogFormat.CONSOLE if is_for_reading else LogFormat.JSON)) is LogFormat.JSON
    renderer = structlog.processors.JSONRenderer() if is_json else structlog.dev.ConsoleRenderer(colors=False)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take card numbers, keys of gateways and passwords of addresses out of a line, wherever they stand in it."""
    for name, value in event.items():
        event[name] = _redacted(value)
    return event


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return without_card_numbers(_SECRET.sub("(secret removed)", value))
    if isinstance(value, Mapping):
        return {_redacted(name): _redacted(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(held) for held in value]
    return _redacted(str(value)) if isinstance(value, BaseException) else value


def _bind_temporal_ids(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if activity.in_activity():
        info = activity.info()
        event.update(workflow_id=info.workflow_id, activity_id=info.activity_id, attempt_of_activity=info.attempt)
    return event
