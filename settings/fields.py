"""Every setting of every entry point, read once from the environment and checked at the edge."""

import sys
from collections.abc import Iterator, Mapping
from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self, TypedDict
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict
from temporalio.service import TLSConfig

from settings.console import LOOPBACK, ConsoleSettings
from settings.encryption import DatabaseTls, encrypted_address, require_pair, require_pem, temporal_tls
from settings.files import values_in_files, with_password
from settings.meanings import MEANINGS, about
from settings.payload_keys import codec_tokens, payload_keys
from settings.traces import TraceSettings

STRIPE_API = "https://api.stripe.com"
PORT_MAX = 65_535

# A call in flight holds a connection and a task: a process keeps no more of them, and another one shares the rate.
GATEWAY_SLOTS_MOST = 1_000


class LogFormat(StrEnum):
    """How log lines are written: JSON for machines, console for people."""

    JSON = "json"
    CONSOLE = "console"


class TemporalConnection(TypedDict):
    """How every process reaches Temporal: what `workflows.client.connect` takes."""

    address: str
    namespace: str
    tls: TLSConfig | None
    api_key: str | None
    payload_keys: Mapping[str, bytes]


class Settings(TraceSettings, ConsoleSettings):
    """The whole configuration; docs/operations.md describes each field under its name in the environment."""

    model_config = SettingsConfigDict(
        frozen=True, env_prefix="DULY_", extra="ignore", populate_by_name=True, env_ignore_empty=True
    )

    # Before the addresses, into which they go.
    database_tls: DatabaseTls | None = Field(
        None, description="How both database addresses are encrypted: libpq's sslmode, such as verify-full."
    )
    database_tls_ca: Path | None = Field(
        None, description="PEM file of the authority behind the database's certificate; implies verify-full."
    )
    database_url: str = Field(
        repr=False, description="Runtime database address, postgresql+psycopg://user:password@host:port/name."
    )
    database_password: SecretStr | None = Field(
        None, description="Password for DULY_DATABASE_URL, where that has none."
    )
    migration_database_url: str = Field(
        "", repr=False, description="The same database under the owner's role; defaults to DULY_DATABASE_URL."
    )
    migration_database_password: SecretStr | None = Field(
        None, description="Password for DULY_MIGRATION_DATABASE_URL, where that has none."
    )
    database_pool: int = Field(16, ge=1, le=200, description="Database connections one process may hold.")
    database_timeout_seconds: float = Field(10.0, gt=0, le=45, description="Longest time one database call may take.")

    temporal_address: str = Field(description="Temporal frontend, host:port.")
    temporal_namespace: str = Field("default", min_length=1, description="Temporal namespace.")
    temporal_tls: bool = Field(
        default=False, description="Connect to Temporal with TLS; each of the next five implies it."
    )
    temporal_tls_ca: Path | None = Field(
        None, description="PEM file of the authority behind Temporal's certificate; else those of the system."
    )
    temporal_tls_cert: Path | None = Field(
        None, description="PEM file of our certificate, where Temporal asks for one (mTLS)."
    )
    temporal_tls_key: Path | None = Field(None, description="PEM file of the key of that certificate, not encrypted.")
    temporal_tls_server_name: str = Field(
        "", description="Name in Temporal's certificate, where it is not the host of the address."
    )
    temporal_api_key: SecretStr | None = Field(
        None, repr=False, description="API key for Temporal, such as one of Temporal Cloud."
    )
    payload_keys: SecretStr | None = Field(
        None,
        description="Keys that encrypt what Temporal stores, `id:base64`, comma separated: the first; all decrypt.",
    )
    codec_tokens: SecretStr | None = Field(
        None, description="Who may decrypt through `duly codec serve`, `who:token`, comma separated."
    )
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
    gateway_concurrency: int | None = Field(
        None, ge=1, le=1_000, description="Gateway calls in flight in one process; follows from the rate when not set."
    )
    gateway_timeout_seconds: float = Field(20.0, gt=0, le=80, description="Longest time one gateway call may take.")

    metrics_address: str = Field(
        "",
        description="Where this process serves /metrics, /health and /ready, host:port; port 0 takes a free one. None: "
        "not at all.",
    )
    log_format: LogFormat | None = Field(
        None, description="json or console. None: console for a command that is typed at a terminal, json for the rest."
    )
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least severe level that is logged."
    )

    @field_validator("database_tls_ca", "temporal_tls_ca", "temporal_tls_cert", "temporal_tls_key")
    @classmethod
    def _is_pem(cls, value: Path | None) -> Path | None:
        if value:
            require_pem(value)
        return value

    @model_validator(mode="before")
    @classmethod
    def _read(cls, given: dict[str, Any]) -> dict[str, Any]:
        read = given | dict(values_in_files(_VARIABLES, given))
        for field in ("database_url", "migration_database_url"):
            password = read.get(field.replace("url", "password"))
            if read.get(field) and password:
                read[field] = with_password(read[field], password)
        return read

    @field_validator("database_url", "migration_database_url")
    @classmethod
    def _is_postgresql(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return value
        if not value.startswith("postgresql+psycopg://"):
            raise ValueError("must start with postgresql+psycopg://")
        return encrypted_address(value, info.data.get("database_tls"), info.data.get("database_tls_ca"))

    @field_validator("temporal_address", "metrics_address")
    @classmethod
    def _has_host_and_port(cls, value: str, info: ValidationInfo) -> str:
        host, _, port = value.rpartition(":")
        is_left_out = not value and info.field_name == "metrics_address"
        if not is_left_out and not (host and port.isdigit() and int(port) <= PORT_MAX):
            raise ValueError("must be host:port")
        return value

    @field_validator("stripe_webhook_secrets", mode="before")
    @classmethod
    def _split_secrets(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("payload_keys", "codec_tokens")
    @classmethod
    def _are_pairs(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        read = payload_keys if info.field_name == "payload_keys" else codec_tokens
        read(value.get_secret_value() if value else "")
        return value

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
    def _key_fits_the_certificate(self) -> Self:
        require_pair(self.temporal_tls_cert, self.temporal_tls_key)
        return self

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
    def temporal_connection(self) -> TemporalConnection:
        """The Temporal server, the namespace in it, and what lets us in."""
        key, name = self.temporal_api_key, self.temporal_tls_server_name
        files = (self.temporal_tls_ca, self.temporal_tls_cert, self.temporal_tls_key)
        is_encrypted = any((self.temporal_tls, *files, name, key))
        return TemporalConnection(
            address=self.temporal_address,
            namespace=self.temporal_namespace,
            tls=temporal_tls(files[0], name, *files[1:]) if is_encrypted else None,
            api_key=key.get_secret_value() if key else None,
            payload_keys=payload_keys(self.payload_keys.get_secret_value()) if self.payload_keys else {},
        )

    @property
    def gateway_slots(self) -> int:
        """How many gateway calls may be in flight in one process: a mean of six seconds at its rate, unless it is set.

        That covers 4 s of latency, one call in a hundred that is never answered, and both commits. A slot that is not
        used costs nothing.
        """
        return self.gateway_concurrency or min(GATEWAY_SLOTS_MOST, round(6 * self.gateway_rate) + 40)

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
        for name, _, message in setting_problems(error):
            sys.stderr.write(f"{name}: {message}\n")
        raise SystemExit(2) from None


def setting_problems(error: ValidationError) -> Iterator[tuple[str, str, str]]:
    """Yield the variable of each setting that is wrong, the rule, and what to do. Values are never in it."""
    for problem in error.errors(include_input=False, include_url=False):
        place = str(problem["loc"][0]) if problem["loc"] else "settings"
        field = _FIELDS.get(place, place)
        pattern = problem.get("ctx", {}).get("pattern", "")
        message = MEANINGS.get(pattern, problem["msg"].removeprefix("Value error, "))
        if problem["type"] == "missing" and field in Settings.model_fields:
            message = f"is not set: {Settings.model_fields[field].description} See docs/operations.md."
        named, message = about(message, _FIELDS)
        yield named or _VARIABLES.get(field, place), str(problem["type"]), message


# Whoever has another name in the environment is spoken of by that name.
_VARIABLES = {field: environment_name(field) for field in Settings.model_fields}
_FIELDS = {name: field for field, name in _VARIABLES.items()}
