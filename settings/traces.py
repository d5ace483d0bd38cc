"""What of OpenTelemetry's own settings is a secret, and may stand in a file for that."""

import re

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

# As OpenTelemetry reads a part: what it takes for wrong it writes into the log as it is, and goes on without it.
_HEADER = re.compile(r"""\s*[-!#$%&'*+.^_`|~0-9A-Za-z]+\s*=[ \t!#-+\--:<-\[\]-~]*""")


class TraceSettings(BaseSettings):
    """The traces' share of the settings."""

    trace_headers: SecretStr | None = Field(
        None,
        validation_alias="OTEL_EXPORTER_OTLP_HEADERS",
        repr=False,
        description="Headers for the collector of traces, such as its key: `name=value`, comma separated.",
    )

    @field_validator("trace_headers")
    @classmethod
    def _are_headers(cls, value: SecretStr | None) -> SecretStr | None:
        parts = value.get_secret_value().split(",") if value else []
        if not all(_HEADER.fullmatch(part) for part in parts):
            raise ValueError("must be name=value, several with commas between, values URL-encoded")
        return value
