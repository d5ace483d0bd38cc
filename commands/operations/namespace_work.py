"""Preparing a Temporal namespace."""

from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.runs.schedule_queries import read_effective_providers
from commands.output import Output, table
from commands.runs.schedule import checking_schedules, make_so
from commands.session import read_settings, reading_database_of, temporal_of
from models.problem import refusal
from models.workflow_ids import schedule_id
from workflows.namespace import (
    EnsuredNamespace,
    Keys,
    SearchAttributeTypeError,
    ensure_namespace,
    register_attributes,
    type_of,
)
from workflows.visibility import SEARCH_ATTRIBUTES

SETTING = "DULY_TEMPORAL_NAMESPACE"

# The server has understood, and will not: whoever runs it, or its limits, must allow it.
_REFUSALS = frozenset(
    {
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.UNIMPLEMENTED,
    }
)


async def prepare_namespace(output: Output, retention_days: int) -> None:
    """Make the namespace, its search attributes and its schedules as Duly needs them, and say what was done."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        wanted = checking_schedules(await read_effective_providers(database))
    client = await temporal_of(settings)
    namespace = await _namespace(client, timedelta(days=retention_days))
    registered = await _attributes(client)
    schedules = [(name, await make_so(client, schedule_id(name), schedule)) for name, schedule in wanted.items()]
    output.answer(
        {
            "namespace": client.namespace,
            "is_new": namespace.is_new,
            "retention_days": namespace.retention.days,
            "retention_days_before": namespace.retention_before.days,
            "search_attributes": len(SEARCH_ATTRIBUTES),
            "registered": [key.name for key in registered],
            "schedules": [{"schedule": name, "change": change} for name, change in schedules],
        },
        table("", "Part", "State", "Change", rows=[*_rows(client.namespace, namespace, registered)]),
        table("", "Schedule", "Change", rows=schedules),
        "`duly schedule apply` makes the schedules that charge, refund and remind.",
    )


async def _namespace(client: Client, retention: timedelta) -> EnsuredNamespace:
    try:
        return await ensure_namespace(client, retention)
    except RPCError as error:
        if error.status not in _REFUSALS:
            raise
        problem = (
            f"Temporal does not let this client make {client.namespace} keep closed workflows for {retention.days} days"
            f" ({error.message}): let whoever administers the server create it or change it, then run this again"
        )
        raise refusal(SETTING, "namespace_can_be_made", problem) from error


async def _attributes(client: Client) -> Keys:
    try:
        return await register_attributes(client)
    except SearchAttributeTypeError as error:
        problem = f"{error}; remove it there when nobody else needs it, or choose another namespace"
        raise refusal(SETTING, "search_attribute_type", problem) from error
    except RPCError as error:
        if error.status not in _REFUSALS:
            raise
        wanted = ", ".join(f"{key.name} {type_of(key)}" for key in SEARCH_ATTRIBUTES)
        problem = (
            f"Temporal does not register search attributes in {client.namespace} ({error.message}): let whoever"
            f" administers the server register {wanted}, then run this again"
        )
        raise refusal(SETTING, "search_attributes_can_be_registered", problem) from error


def _rows(name: str, namespace: EnsuredNamespace, registered: Keys) -> list[tuple[str, str, str]]:
    days, before = namespace.retention.days, namespace.retention_before.days
    kept = "unchanged" if before == days else f"was {before} days"
    return [
        ("namespace", name, "created" if namespace.is_new else "unchanged"),
        ("closed workflows", f"kept for {days} days", "set" if namespace.is_new else kept),
        (
            "search attributes",
            f"all {len(SEARCH_ATTRIBUTES)}",
            f"{len(registered)} registered" * bool(registered) or "unchanged",
        ),
    ]
