"""What the errors of Temporal, of the database and of the gateway mean to whoever has typed a command."""

from temporalio.service import RPCError, RPCStatusCode

from activities.database import DatabaseAccessError, DatabaseUnavailableError
from commands.output import ExitCode, Failure
from models.gateway.errors import GatewayAccessError, GatewayError
from models.problem import Problem
from workflows.client import TemporalAccessError, TemporalUnansweredError

_PREPARE = "`duly namespace prepare`"

# The server did not get as far as judging what it was asked.
_NO_ANSWER = frozenset(
    {
        RPCStatusCode.ABORTED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.UNKNOWN,
    }
)
_NO_ACCESS = frozenset({RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED})


def temporal_failure(error: RPCError) -> Failure:
    """Return the failure of a command whose request Temporal has not carried out."""
    if error.status in _NO_ANSWER:
        code, setting, rule, what = ExitCode.UNREACHABLE, "ADDRESS", "reachable", "does not answer"
    elif error.status in _NO_ACCESS:
        code, setting, rule, what = ExitCode.USAGE, "API_KEY", "access", "refuses this key or certificate"
    elif is_namespace_missing(error):
        code, setting, rule = ExitCode.USAGE, "NAMESPACE", "namespace"
        what = f"has no such namespace: set it to one that is there, or make it with {_PREPARE}"
    elif "search attribute" in error.message:
        code, setting, rule = ExitCode.REFUSED, "NAMESPACE", "namespace_is_prepared"
        what = f"lacks search attributes: run {_PREPARE}"
    else:
        code, setting, rule, what = ExitCode.REFUSED, "ADDRESS", "request", "refuses this"
    return Failure(
        code, [Problem(f"DULY_TEMPORAL_{setting}", f"temporal_{rule}", f"Temporal {what} ({error.message})")]
    )


def connection_failure(error: TemporalAccessError | TemporalUnansweredError) -> Failure:
    """Return the failure of a command that could not connect to Temporal."""
    if isinstance(error, TemporalAccessError):
        return Failure(ExitCode.USAGE, [Problem(error.setting, "temporal_access", str(error))])
    return unreachable("DULY_TEMPORAL_ADDRESS", "temporal_reachable", str(error))


def database_failure(error: DatabaseUnavailableError, setting: str = "DULY_DATABASE_URL") -> Failure:
    """Return the failure of a command to which the database does not answer, or which it does not let in."""
    if isinstance(error, DatabaseAccessError):
        return Failure(ExitCode.USAGE, [Problem(setting, error.rule, f"the database refuses us: {error}")])
    return unreachable(setting, "database_reachable", f"the database does not answer: {error}")


def gateway_failure(error: GatewayError) -> Failure:
    """Return the failure of a command to which the gateway does not answer, or whose key it does not take."""
    if isinstance(error, GatewayAccessError):
        message = f"the gateway does not take this key ({error.code}): set it to one of this account, with the rights"
        return Failure(ExitCode.USAGE, [Problem("STRIPE_API_KEY", "gateway_access", message)])
    return unreachable("STRIPE_API_BASE", "gateway_reachable", f"the gateway does not answer: {error.code}")


def unreachable(setting: str, rule: str, message: str) -> Failure:
    """Make the failure of a server that does not answer; the setting says where it was looked for."""
    return Failure(ExitCode.UNREACHABLE, [Problem(setting, rule, message)])


def is_namespace_missing(error: RPCError) -> bool:
    """Tell whether it is the namespace that was not found, and not something within it."""
    details = error.grpc_status.details
    return any(detail.type_url.endswith(".NamespaceNotFoundFailure") for detail in details)
