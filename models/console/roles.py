"""Who may do what through the console: roles, and what each allows. Nothing is allowed that is not named here."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class ConsoleRole(StrEnum):
    """What somebody is, for the console."""

    VIEWER = "viewer"
    AGENT = "agent"
    ACCOUNTANT = "accountant"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """What a role allows."""

    SEE = "see"
    EXPORT = "export"
    COLLECT = "collect"
    REFUND = "refund"
    CORRECT = "correct"
    WRITE_OFF = "write_off"
    APPROVE = "approve"
    DECIDE = "decide"
    COMMUNICATE = "communicate"
    RUN = "run"
    CONFIGURE = "configure"
    SEE_USERS = "see_users"
    SHARE_VIEWS = "share_views"


_V, _AG, _AC = ConsoleRole.VIEWER, ConsoleRole.AGENT, ConsoleRole.ACCOUNTANT
_OP, _AD = ConsoleRole.OPERATOR, ConsoleRole.ADMINISTRATOR

ALLOWED: Mapping[Permission, frozenset[ConsoleRole]] = MappingProxyType(
    {
        Permission.SEE: frozenset(ConsoleRole),
        # Of everybody, with their personal data.
        Permission.EXPORT: frozenset({_AC, _AD}),
        # Notes, messages, links, another try, another card.
        Permission.COLLECT: frozenset({_AG, _AC, _OP, _AD}),
        # A part or all of a payment goes back; who cancels it undoes what it has paid as well, which is a correction.
        Permission.REFUND: frozenset({_AG, _AC}),
        # Documents: posted, rejected, cancelled, moved, paid; a gateway's payments are cancelled.
        Permission.CORRECT: frozenset({_AC}),
        # What is unsettled is given up: an agent only within a limit that agents have of their own.
        Permission.WRITE_OFF: frozenset({_AG, _AC}),
        # What somebody else has asked for, above the limits.
        Permission.APPROVE: frozenset({_AC, _AD}),
        # What nobody else could know: discrepancies, unknown outcomes, paid outside, given up.
        Permission.DECIDE: frozenset({_AC, _OP}),
        # Whole segments are written to; about one transaction whoever may collect writes.
        Permission.COMMUNICATE: frozenset({_AC, _OP, _AD}),
        Permission.RUN: frozenset({_OP}),
        # What is configured by documents otherwise.
        Permission.CONFIGURE: frozenset({_AD}),
        Permission.SEE_USERS: frozenset({_AD}),
        # Views of lists that everybody finds above them.
        Permission.SHARE_VIEWS: frozenset({_AD}),
    }
)

# Who does what within a limit of the role's own alone, and without one not at all.
WITHIN_OWN_LIMIT = frozenset({(ConsoleRole.AGENT, Permission.WRITE_OFF)})
APPROVERS = ALLOWED[Permission.APPROVE]
PASSWORD_LENGTH_MIN = 12


def is_allowed(role: ConsoleRole, permission: Permission) -> bool:
    """Tell whether a role allows something."""
    return role in ALLOWED[permission]
