"""What the environment gives, and the settings that follow once the stack has added its own services."""

import os
from typing import Any

from pydantic import ValidationError

from sandbox.servers.processes import ServiceError
from settings import Settings, environment_name

SERVICE = "The stack"

# Settings by field. None takes a variable of the user's away: it belongs to a server of theirs that is not used.
Values = dict[str, str | None]

# Stand in for the services that are started later, so that everything given is checked before anything starts.
LATER: dict[str, Values] = {
    "database_url": {
        "database_url": "postgresql+psycopg://",
        "migration_database_url": None,
        "database_tls": None,
        "database_tls_ca": None,
    },
    "temporal_address": {
        "temporal_address": "127.0.0.1:1",
        "temporal_namespace": None,
        "temporal_tls": None,
        "temporal_tls_ca": None,
        "temporal_tls_cert": None,
        "temporal_tls_key": None,
        "temporal_tls_server_name": None,
        "temporal_api_key": None,
        "temporal_ui_url": None,
    },
    "stripe_api_base": {
        "stripe_api_base": "http://127.0.0.1:1",
        "stripe_api_key": "sk_test_later",
        "stripe_webhook_secrets": None,
    },
    "smtp_url": {"smtp_url": None},
}


def given(field: str) -> str:
    """Return what the environment says about a setting, or "" if nothing."""
    return os.environ.get(environment_name(field), "")


def checked_settings() -> Settings:
    """Check all that is given; ServiceError names the first wrong variable. What is started later is left out."""
    later: Values = {}
    for service, values in LATER.items():
        if not given(service):
            later |= values
    return settings_with(later)


def settings_with(values: Values) -> Settings:
    """Return the environment's settings with some replaced."""
    replaced: dict[str, Any] = {name: _default(name) if value is None else value for name, value in values.items()}
    try:
        return Settings(**replaced)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        place = str(problem["loc"][0]) if problem["loc"] else ""
        name = environment_name(place) if place in Settings.model_fields else place
        raise ServiceError(SERVICE, f"{name}: {problem['msg']}".removeprefix(": ")) from None


def variables(values: Values) -> dict[str, str]:
    """Return the settings that have a value, by the names of their environment variables."""
    return {environment_name(field): value for field, value in values.items() if value is not None}


def environment_with(values: Values) -> dict[str, str]:
    """Return the environment with some settings replaced, for a child process."""
    replaced = {environment_name(field) for field in values}
    kept = {name: value for name, value in os.environ.items() if name not in replaced}
    return kept | variables(values)


def _default(field: str) -> Any:
    return Settings.model_fields[field].get_default()
