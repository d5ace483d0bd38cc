"""What of a limited action one person does alone: shown on its form, and required where a role has to have a limit."""

from activities.ledger.transaction_queries import TransactionQueries
from commands.console.limited import LIMITED
from models.console.approval import LimitAlone, LimitedKind
from models.console.roles import WITHIN_OWN_LIMIT
from models.problem import RefusedError, refusal
from web.actions.action import Action
from web.context import Visit


async def required_limit(visit: Visit, action: Action, kind: LimitedKind, currency: str) -> LimitAlone | None:
    """Return what this user does of an action alone. Raises RefusedError (role_has_limit): the role needs its own."""
    limit = await visit.web.approvals.limit_alone(kind, visit.user.id, currency)
    role = visit.user.role
    if (role, action.permission) in WITHIN_OWN_LIMIT and not (limit and limit.is_own):
        name = f"{kind}s"
        raise refusal(
            "role", "role_has_limit", f"the role {role} has no {name} of its own in approval_rules.roles.{role}"
        )
    return limit


async def limit_sentence(visit: Visit, action: Action, id: str) -> str:
    """Say on a form what this user does of it alone, and what becomes of more; "" where nothing limits it."""
    if action.path not in LIMITED:
        return ""
    try:
        found = await TransactionQueries(visit.web.reading).require(id)
        kind = await LIMITED[action.path].kind_of(visit.web.reading, id)
        limit = await required_limit(visit, action, kind, found.currency) if kind else None
    except RefusedError as refused:
        return next((f"{one}." for one in refused.problems if one.rule == "role_has_limit"), "")
    if limit is None or limit.limit_minor is None:
        return ""
    return f"{capitalized(str(limit))}. What is above it waits for another person."


def capitalized(sentence: str) -> str:
    """Return a sentence with a capital letter, the rest of it as it is."""
    return sentence[:1].upper() + sentence[1:]
