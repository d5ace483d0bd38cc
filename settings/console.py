"""What the console and the portal are told by their environment."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from settings.time_zones import time_zones

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class ConsoleSettings(BaseSettings):
    """The console's share of the settings."""

    console_url: str = Field(
        "http://127.0.0.1:8010",
        pattern=r"^https?://[^/]+$",
        description="Address at which people reach the console; https, unless it is this machine's own.",
    )

    console_oidc_issuer: str = Field(
        "",
        pattern=r"^(https?://[^/]+(/.*)?)?$",
        description="Provider of identities (OpenID Connect) by which people sign in to the console, beside passwords.",
    )
    console_oidc_client_id: str = Field("", description="What that provider calls the console.")
    console_oidc_client_secret: SecretStr | None = Field(
        None, repr=False, description="The console's secret at that provider, where it wants one."
    )

    console_products: str = Field(
        "",
        description="Ids of products, with commas between, which the first page's chart of products has; all if empty.",
    )

    console_time_zone: str = Field(
        "UTC",
        description="IANA time zone in which the console shows moments and lists begin their days: Europe/Berlin.",
    )

    portal_url: str = Field(
        "",
        pattern=r"^(https?://[^/]+)?$",
        description="Address of the portal, in every letter to customers; https, unless it is this machine's own.",
    )

    @field_validator("console_url", "console_oidc_issuer", "portal_url")
    @classmethod
    def _is_encrypted(cls, value: str) -> str:
        address = urlsplit(value)
        if value and address.scheme != "https" and address.hostname not in LOOPBACK:
            raise ValueError("must be https: passwords and sessions go there")
        return value

    @field_validator("console_time_zone")
    @classmethod
    def _is_time_zone(cls, value: str) -> str:
        if value not in time_zones():
            raise ValueError("must be an IANA time zone, such as Europe/Berlin")
        return value

    @property
    def is_console_encrypted(self) -> bool:
        """Whether browsers reach the console by https, so that its cookie may be one that goes nowhere else."""
        return self.console_url.startswith("https://")

    @property
    def is_portal_encrypted(self) -> bool:
        """Whether customers reach the portal by https."""
        return self.portal_url.startswith("https://")
