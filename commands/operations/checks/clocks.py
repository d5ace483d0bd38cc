"""Examining clocks: those of the gateway, the database and this machine must agree before money moves."""

from activities.database import DatabaseUnavailableError, RuleBrokenError, SchemaMismatchError
from activities.gateway.clocks import Clocks
from activities.recovery.dating import compare_with_this_machine
from commands.gateway_session import gateway_of
from commands.operations.checks.finding import Finding, ok, unchecked, warning, wrong
from commands.session import reading_database_of
from models.gateway.clocks import REFUSE_AT, ClockComparison, ClockVerdict
from models.gateway.errors import GatewayError
from settings import Settings


async def examine_clocks(settings: Settings) -> Finding:
    """Return what is found about the clocks of the gateway, the database and this machine."""
    try:
        found, has_gateway = await _compare(settings)
    except (DatabaseUnavailableError, RuleBrokenError, SchemaMismatchError):
        return unchecked("clocks", "the database cannot tell")
    if found.verdict is ClockVerdict.AGREE and not has_gateway:
        return unchecked("clocks", f"the gateway cannot tell; {found}")
    advice = (
        f"let NTP set it; while clocks are more than {REFUSE_AT.seconds} s apart nothing new is sent to the gateway, "
        "and nothing is billed"
    )
    blame = f": two others agree, and that of {found.culprit} does not" if found.culprit else ""
    match found.verdict:
        case ClockVerdict.AGREE:
            return ok("clocks", str(found))
        case ClockVerdict.APART:
            return warning("clocks", f"{found}{blame}", advice)
        case ClockVerdict.TOO_FAR:
            return wrong("clocks", f"{found}{blame}", advice)


async def _compare(settings: Settings) -> tuple[ClockComparison, bool]:
    """Compare the clocks, and say whether the gateway's is among them."""
    async with reading_database_of(settings) as database, gateway_of(settings) as gateway:
        try:
            return await Clocks(database, gateway).measure(), True
        except GatewayError:
            # Of two clocks nobody knows which is right; that they are apart is to be mended all the same.
            found, _ = await compare_with_this_machine(database)
            return found, False
