"""Examining Temporal: there, with our namespace, search attributes and schedules, and a worker on every queue."""

from collections.abc import AsyncIterator, Sequence

from temporalio.client import Client
from temporalio.service import RPCError

from activities.operations.pollers import WORKFLOW_WORK, Work, gateway_work, pollers_of
from activities.runs.schedule_queries import EffectiveProviders
from commands.lists.next_actions import running_of
from commands.operations.checks.database import ProviderState
from commands.operations.checks.encryption import examine_temporal_encryption
from commands.operations.checks.finding import Finding, Verdict, ok, warning, wrong
from commands.operations.checks.payloads import examine_payloads
from commands.operations.checks.rate import examine_rate
from commands.output import Failure
from commands.runs.schedule import checking_schedules, find_schedule, paused_schedules
from commands.session import temporal_of
from models.runs.run_control import RunStage
from models.workflow_ids import schedule_id
from settings import Settings
from workflows.namespace import compare_attributes, describe_namespace
from workflows.visibility import SEARCH_ATTRIBUTES

ADDRESS = "DULY_TEMPORAL_ADDRESS"
PREPARE = "run `duly namespace prepare`"


async def examine_temporal(settings: Settings, providers: Sequence[ProviderState] | None) -> AsyncIterator[Finding]:
    """Yield what is found about Temporal."""
    try:
        client = await temporal_of(settings)
    except Failure as failure:
        (problem,) = failure.problems
        advice = "start it, or set DULY_TEMPORAL_ADDRESS (and TLS or an API key) to where it is"
        helps = problem.message.partition(": ")[2] or f"set {problem.field}"
        yield wrong("Temporal", problem.message, advice if problem.field == ADDRESS else helps)
        return
    yield await examine_temporal_encryption(settings)
    try:
        kept = await describe_namespace(client)
        if kept is None:
            advice = f"{PREPARE}, or set DULY_TEMPORAL_NAMESPACE to one that is there"
            yield wrong("Temporal namespace", f"there is no {client.namespace}", advice)
            return
        yield ok("Temporal namespace", f"{client.namespace}, closed workflows are kept for {kept.days} days")
        attributes = await _search_attributes(client)
        yield attributes
        yield await examine_payloads(client, settings)
        effective = [provider.id for provider in providers or () if provider.is_effective]
        called = [provider.id for provider in providers or () if provider.is_effective and provider.is_called]
        yield await _schedules(client, EffectiveProviders(tuple(effective), tuple(called)))
        if attributes.verdict is Verdict.OK:
            yield await _standing_runs(client)
        yield await _workers(client, WORKFLOW_WORK)
        for provider in effective or [settings.provider]:
            yield await _workers(client, gateway_work(provider))
            if attributes.verdict is Verdict.OK:
                yield await examine_rate(client, settings, provider)
    except RPCError as error:
        advice = f"give this key or certificate access to the namespace {settings.temporal_namespace}"
        yield wrong("Temporal", error.message, advice)


async def _search_attributes(client: Client) -> Finding:
    found = await compare_attributes(client)
    if found.problems:
        advice = "remove it there when nobody else needs it, or choose another namespace; then " + PREPARE
        return wrong("search attributes", "; ".join(found.problems), advice)
    if found.missing:
        return wrong("search attributes", f"missing: {', '.join(key.name for key in found.missing)}", PREPARE)
    return ok("search attributes", f"all {len(SEARCH_ATTRIBUTES)} are registered")


async def _schedules(client: Client, providers: EffectiveProviders) -> Finding:
    wanted = checking_schedules(providers)
    missing = [name for name in wanted if await find_schedule(client, schedule_id(name)) is None]
    if missing:
        return warning("schedules", f"missing: {', '.join(missing)}", PREPARE)
    if paused := await paused_schedules(client):
        advice = "`duly schedule list` says why; `duly schedule resume` lets each go on"
        return warning("schedules", f"paused: {', '.join(paused)}", advice)
    return ok("schedules", "the supervisor and all that check are there")


async def _standing_runs(client: Client) -> Finding:
    """Tell which runs stand still: paused by somebody, or held because the gateway answers nobody."""
    paused, held = [
        await running_of(client, ("PaymentRun", "RefundRun"), stage) for stage in (RunStage.PAUSED, RunStage.HELD)
    ]
    if not paused and not held:
        return ok("runs", "none stands still")
    found = [f"{word}: {', '.join(ids)}" for word, ids in (("paused", paused), ("held by the gateway", held)) if ids]
    payments, refunds = [[one for one in paused if one.startswith(start)] for start in ("run/", "refunds/")]
    advice = [f"`duly runs resume {one}`, or abort it" for one in payments]
    advice += [f"`duly refunds resume {one.rpartition('/')[2]}`" for one in refunds]
    advice += ["see the gateway's status page: a held run goes on by itself"] if held else []
    return warning("runs", "; ".join(found), "; ".join(advice))


async def _workers(client: Client, work: Work) -> Finding:
    """Tell whether somebody polled the queue lately for every kind of task."""
    if polling := await pollers_of(client, work):
        return ok(f"worker on {work.queue}", f"{polling} polling")
    waits = "; one that waits for the gateway says gateway_away in its log" if work.role == "gateway" else ""
    return wrong(f"worker on {work.queue}", "nobody polls it", f"start `worker.py --role {work.role}`{waits}")
