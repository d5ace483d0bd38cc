"""Every setting of every entry point, read once from the environment and checked at the edge; and the log set-up."""

import logging
import sys
from collections.abc import MutableMapping
from email.utils import parseaddr
from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import structlog
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from temporalio import activity, workflow

STRIPE_API = "https://api.stripe.com"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class LogFormat(StrEnum):
    """How log lines are written: JSON for machines, console for people."""

    JSON = "json"
    CONSOLE = "console"


class Settings(BaseSettings):
    """The whole configuration; docs/operations.md describes each field under its name in the environment."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="DULY_", extra="ignore", populate_by_name=True)

    database_url: str = Field(
        repr=False, description="Runtime database address, postgresql+psycopg://user:password@host:port/name."
    )
    migration_database_url: str = Field(
        "", repr=False, description="The same database under the owner's role; defaults to DULY_DATABASE_URL."
    )
    database_pool: int = Field(16, ge=1, le=200, description="Database connections one process may hold.")
    database_timeout_seconds: float = Field(10.0, gt=0, le=45, description="Longest time one database call may take.")

    temporal_address: str = Field(description="Temporal frontend, host:port.")
    temporal_namespace: str = Field("default", min_length=1, description="Temporal namespace.")
    temporal_tls: bool = Field(default=False, description="Connect to Temporal with TLS.")
    temporal_api_key: SecretStr | None = Field(None, description="API key for Temporal; implies TLS.")
    temporal_ui_url: str = Field("", description="Base address of the Temporal UI, for links.")

    stripe_api_key: SecretStr = Field(validation_alias="STRIPE_API_KEY", description="Stripe secret or restricted key.")
    stripe_api_base: str = Field(
        STRIPE_API, validation_alias="STRIPE_API_BASE", description="Base address of the Stripe API."
    )
    stripe_webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        validation_alias="STRIPE_WEBHOOK_SECRET",
        description="Webhook signing secrets, comma separated; two during a rotation.",
    )

    public_url: str = Field(
        "http://127.0.0.1:8000",
        pattern=r"^https?://[^/]+$",
        description="Address at which customers reach the webhook process, for payment links.",
    )
    smtp_url: str = Field(
        "", repr=False, description="SMTP server for customer messages, smtp://user:password@host:port."
    )
    mail_from: str = Field(
        "payments@localhost", description="Sender of all messages, as `Name <address>` or an address."
    )
    operators_mail: str = Field(
        "", repr=False, description="Address for alerts; without one they stay in the database."
    )

    provider: str = Field(
        "stripe",
        pattern=r"^[a-z][a-z0-9_-]{0,31}$",
        description="Provider whose payments this process sends.",
    )
    gateway_rate: float = Field(
        20.0, gt=0, le=10_000, description="Most gateway calls a second for the provider's queue."
    )
    gateway_concurrency: int = Field(40, ge=1, le=1_000, description="Gateway calls in flight in one process.")
    gateway_timeout_seconds: float = Field(20.0, gt=0, le=80, description="Longest time one gateway call may take.")

    log_format: LogFormat = Field(LogFormat.JSON, description="json or console.")
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least severe level that is logged."
    )

    @field_validator("database_url", "migration_database_url")
    @classmethod
    def _is_postgresql(cls, value: str) -> str:
        if value and not value.startswith("postgresql+psycopg://"):
            raise ValueError("must start with postgresql+psycopg://")
        return value

    @field_validator("temporal_address")
    @classmethod
    def _has_host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError("must be host:port")
        return value

    @field_validator("stripe_webhook_secrets", mode="before")
    @classmethod
    def _split_secrets(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"smtp", "smtps"}:
            raise ValueError("must start with smtp:// or smtps://")
        return value

    @field_validator("mail_from", "operators_mail")
    @classmethod
    def _is_address(cls, value: str) -> str:
        local, _, domain = parseaddr(value)[1].rpartition("@")
        if value and not (local and domain and value.isprintable()):
            raise ValueError("must be an e-mail address")
        return value

    @model_validator(mode="after")
    def _key_fits_the_gateway(self) -> Self:
        key, host = self.stripe_api_key.get_secret_value(), urlsplit(self.stripe_api_base).hostname or ""
        if not key.startswith(("sk_", "rk_")):
            raise ValueError("STRIPE_API_KEY must be a secret (sk_…) or restricted (rk_…) key")
        if self.is_live and host in LOOPBACK:
            raise ValueError("STRIPE_API_KEY is a live key but STRIPE_API_BASE is this machine")
        return self

    @property
    def is_live(self) -> bool:
        """Whether the gateway key moves real money: then only events about real money are ours."""
        return "_live_" in self.stripe_api_key.get_secret_value()

    @property
    def gateway_mode(self) -> str:
        """The mode of the gateway key, as a provider names it: live or test."""
        return "live" if self.is_live else "test"

    @property
    def owner_database_url(self) -> str:
        """The address under the role that owns the tables."""
        return self.migration_database_url or self.database_url


def environment_name(field: str) -> str:
    """Return the environment variable that sets a field."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"DULY_{field.upper()}"


def load_settings() -> Settings:
    """Read the settings, or leave with exit code 2 and one line for each wrong one. Values are never printed."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            sys.stderr.write(f"{_name_of(problem['loc'])}: {problem['msg'].removeprefix('Value error, ')}\n")
        raise SystemExit(2) from None


def _name_of(location: tuple[int | str, ...]) -> str:
    if not location:
        return "settings"
    name = str(location[0])
    return environment_name(name) if name in Settings.model_fields else name


# Libraries that write bodies, addresses or every statement when they are talkative.
_QUIET = ("stripe", "aiohttp", "httpx", "sqlalchemy", "psycopg", "asyncio")


def configure_logging(settings: Settings) -> None:
    """Send our lines and everybody else's through one formatter to standard error, Temporal's ids bound."""
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _bind_temporal_ids,
    ]
    is_json = settings.log_format is LogFormat.JSON
    renderer = structlog.processors.JSONRenderer() if is_json else structlog.dev.ConsoleRenderer(colors=False)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
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


def _bind_temporal_ids(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if activity.in_activity():
        info = activity.info()
        event.update(workflow_id=info.workflow_id, activity_id=info.activity_id, attempt_of_activity=info.attempt)
    return event
