"""Examining everything that Duly needs."""

from collections.abc import AsyncIterator
from dataclasses import asdict

from commands.operations.checks.clocks import examine_clocks
from commands.operations.checks.connect import examine_merchants
from commands.operations.checks.database import examine_database, read_providers
from commands.operations.checks.finding import Finding, Verdict, ok, unchecked, wrong
from commands.operations.checks.gateway import examine_gateway, examine_mail
from commands.operations.checks.temporal import examine_temporal
from commands.output import ExitCode, Failure, Output, table
from commands.session import read_settings, reading_database_of, temporal_of
from commands.supervision.supervise_work import compare_all, show_report
from models.supervision.supervision import SupervisionRequest
from settings import Settings

REST = ("database", "Temporal", "gateway", "clocks", "mail")


async def examine(output: Output) -> None:
    """Look at everything, also when something is wrong already, and say what was found."""
    findings = [finding async for finding in _findings()]
    rows = [(one.check, one.verdict, one.found) for one in findings]
    advice = [f"{one.check}: {one.advice}" for one in findings if one.advice]
    is_good = all(one.verdict is not Verdict.WRONG for one in findings)
    output.answer(
        {"healthy": is_good, "checks": [asdict(one) for one in findings]},
        table("", "Check", "Verdict", "Found", rows=rows),
        "What to do:\n" + "\n".join(f"- {line}" for line in advice) if advice else "Everything is as it must be.",
        is_good=is_good,
    )


async def examine_workflows(output: Output) -> None:
    """Say of everything that is open and has no workflow what the supervisor would do. Nothing is changed."""
    settings = read_settings()
    client = await temporal_of(settings)
    async with reading_database_of(settings) as database:
        show_report(output, await compare_all(database, client, SupervisionRequest(is_dry_run=True)))


async def _findings() -> AsyncIterator[Finding]:
    try:
        settings = read_settings()
    except Failure as failure:
        if failure.code is not ExitCode.USAGE:
            raise
        for problem in failure.problems:
            what = "them all" if problem.field == "settings" else problem.field
            yield wrong("settings", f"{problem.field}: {problem.message}", f"set {what}; see docs/operations.md")
        for check in REST:
            yield unchecked(check, "the settings are wrong")
        return
    yield ok("settings", "complete and well formed")
    async for finding in _connections(settings):
        yield finding


async def _connections(settings: Settings) -> AsyncIterator[Finding]:
    async for finding in examine_database(settings):
        yield finding
    providers = await read_providers(settings)
    async for finding in examine_temporal(settings, providers):
        yield finding
    async for finding in examine_gateway(settings, providers):
        yield finding
    async for finding in examine_merchants(settings):
        yield finding
    yield await examine_clocks(settings)
    yield await examine_mail(settings)
