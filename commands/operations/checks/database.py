"""Examining the database: there, migrated, safe to keep money in, and used with no more rights than needed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import exists, select

from activities.connecting import ConnectionRule
from activities.database import (
    Database,
    DatabaseAccessError,
    DatabaseUnavailableError,
    RuleBrokenError,
    SchemaMismatchError,
)
from activities.events.movements import ExpectationQueries
from activities.reconciliation.queries import ReconciliationQueries
from commands.operations.checks.encryption import examine_database_encryption, what_ails_a_certificate
from commands.operations.checks.finding import Finding, ok, unchecked, warning, wrong
from commands.operations.checks.fonts import examine_fonts
from commands.operations.checks.months import examine_months
from commands.operations.checks.tax_currency import examine_tax_currency
from commands.session import reading_database_of
from migrations.run import head
from migrations.source import functions_hash
from models.tables.configuration import BANK_DEBITS, ProviderMethodRow, ProviderRow
from settings import Settings

_PROVIDERS = select(
    ProviderRow.id,
    ProviderRow.mode,
    (ProviderRow.state == "effective").label("is_effective"),
    exists().where(ProviderMethodRow.provider_id == ProviderRow.id).label("has_method"),
    (ProviderRow.gateway != BANK_DEBITS).label("is_called"),
).order_by(ProviderRow.id)

_SERVER = """
    select current_setting('server_version') as version,
        (select string_agg(name, ', ') from pg_settings
            where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off') as unsafe
"""
_ROLE = """
    select current_user as name, (select rolsuper from pg_roles where rolname = current_user) as is_superuser,
        exists (select from pg_roles where rolname = 'duly_app' and pg_has_role(oid, 'usage')) as is_member,
        has_table_privilege('duly.transfers', 'insert, update, delete') as writes_money,
        exists (select from pg_proc p where p.pronamespace = 'duly'::regnamespace and p.proname = 'open_attempt'
            and has_function_privilege(p.oid, 'execute')) as may_work
"""

SHOWN = 6
_CHANGED_ADVICE = (
    "`duly migrate` puts functions, views and rights back; `alter table ... enable trigger ...` switches a trigger on;"
    " then `duly invariants`, for rules may have been broken meanwhile"
)
_ADVICE = {
    ConnectionRule.PASSWORD: "set the user and password of DULY_DATABASE_URL to those of the runtime role",
    ConnectionRule.NAME: "set the name at the end of DULY_DATABASE_URL to that of a database that is there",
    ConnectionRule.ENCRYPTION: "set DULY_DATABASE_TLS and DULY_DATABASE_TLS_CA to what the server does",
    ConnectionRule.CERTIFICATE: "give DULY_DATABASE_URL a certificate that the server believes (sslcert) and its key "
    "(sslkey), a file that this user alone may read",
    ConnectionRule.ACCESS: "let the server's pg_hba.conf, and `grant connect`, let this role in from here",
}


@dataclass(frozen=True)
class ProviderState:
    """A provider as the doctor sees it."""

    id: str
    mode: str
    is_effective: bool
    has_method: bool
    is_called: bool = True  # a bank is told and asked by files


async def examine_database(settings: Settings) -> AsyncIterator[Finding]:
    """Yield what is found about the database."""
    async with reading_database_of(settings) as database:
        try:
            yield await _server(database)
            yield await examine_database_encryption(database)
            yield await _schema(database)
            yield await _role(database)
            yield await _movements(database)
            yield await _sending(database)
            yield await _bank_files(database)
            yield await _discrepancies(database)
            yield await examine_months(database)
            async for finding in examine_fonts(database):
                yield finding
            async for finding in examine_tax_currency(database):
                yield finding
        except DatabaseAccessError as error:
            is_about_tls = error.rule in {ConnectionRule.ENCRYPTION, ConnectionRule.CERTIFICATE}
            ailing = await what_ails_a_certificate(settings) if is_about_tls else ""
            yield wrong("database", f"refuses us: {error}", ailing or _ADVICE[error.rule])
        except DatabaseUnavailableError as error:
            # Some servers end a connection whose certificate they do not like, and say no more.
            advice = "start it, or set DULY_DATABASE_URL to where it is, with the right user and password"
            yield wrong("database", f"no answer: {error}", await what_ails_a_certificate(settings) or advice)
        except (RuleBrokenError, SchemaMismatchError) as error:
            yield unchecked("database rows", f"the schema does not fit: {error}")


async def read_providers(settings: Settings) -> list[ProviderState] | None:
    """Return the configured providers, or None when the database cannot tell."""
    async with reading_database_of(settings) as database:
        try:
            rows = await database.read(_PROVIDERS)
        except (DatabaseUnavailableError, RuleBrokenError, SchemaMismatchError):
            return None
    return [ProviderState(row.id, row.mode, row.is_effective, row.has_method, row.is_called) for row in rows]


async def _server(database: Database) -> Finding:
    (server,) = await database.rows(_SERVER)
    if server.unsafe:
        advice = f"switch {server.unsafe} on: a server that loses commits it has acknowledged loses money"
        return wrong("database server", f"PostgreSQL {server.version} with {server.unsafe} off", advice)
    return ok("database server", f"PostgreSQL {server.version}")


async def _schema(database: Database) -> Finding:
    try:
        rows = await database.rows("select version_num from duly.alembic_version")
        installed = await database.rows("select functions_hash, functions_version from duly.installation")
    except (RuleBrokenError, SchemaMismatchError):
        return wrong("database schema", "not migrated", "run `duly migrate`")
    found = rows[0].version_num if rows else "nothing"
    if found != head():
        advice = "run `duly migrate` of the newer release, then restart what is older"
        return wrong("database schema", f"at {found}, this version has {head()}", advice)
    if installed[0].functions_hash != functions_hash():
        advice = "run `duly migrate` of the newer release, then restart what is older"
        return wrong("database schema", f"functions of {installed[0].functions_version or 'no release'}", advice)
    changed = await database.rows("select object, difference from duly.changed_objects()")
    if changed:
        shown = ", ".join(f"{one.object} ({one.difference})" for one in changed[:SHOWN])
        others = f", and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        return wrong("database schema", f"changed by hand: {shown}{others}", _CHANGED_ADVICE)
    return ok("database schema", f"at {found}, the newest, with this release's functions")


async def _movements(database: Database) -> Finding:
    overdue = await ExpectationQueries(database).overdue()
    if overdue:
        advice = "`duly movements list --overdue`; compare these objects with the gateway's balance transactions"
        return wrong("movements", f"{overdue} that the gateway should have made are not booked", advice)
    return ok("movements", "none that the gateway should have made is missing")


async def _sending(database: Database) -> Finding:
    held = await database.rows("select provider_id, reason from duly.sending where state <> 'open' order by 1 limit 1")
    if held:
        advice = "run `duly recover show`: it names the next step"
        return wrong("sending", f"nothing is sent to {held[0].provider_id}: {held[0].reason}", advice)
    return ok("sending", "open")


async def _bank_files(database: Database) -> Finding:
    """Say which files for the bank wait until a person has shown what it has."""
    left = await database.rows(
        "select provider_id, object from duly.recovery_left"
        " where kind in ('bank_files', 'refund_files') and settled_at is null order by noted_at, object"
    )
    if left:
        of = ", ".join(f"{one.object} (DULY_PROVIDER={one.provider_id})" for one in left)
        advice = "`debits adopt` or `refunds adopt` each file that the bank has, then `duly recover settle`"
        return warning("bank files", f"none is written, for a restore may have forgotten some: {of}", advice)
    return ok("bank files", "none is missing after a restore")


async def _discrepancies(database: Database) -> Finding:
    count = await ReconciliationQueries(database).open_discrepancies()
    if count:
        advice = "`duly reconcile list`: what each means, who looks after it, and what helps"
        return wrong("discrepancies", f"{count} in which gateway and ledger differ are open", advice)
    return ok("discrepancies", "none between gateway and ledger is open")


async def _role(database: Database) -> Finding:
    (role,) = await database.rows(_ROLE)
    if not role.may_work:
        grant = f"`grant duly_app to {role.name}`, as a superuser or the owner"
        advice = "`duly migrate` gives duly_app what it needs" if role.is_member else grant
        return wrong("database role", f"{role.name} may not execute Duly's functions", advice)
    if role.is_superuser or role.writes_money:
        advice = "give DULY_DATABASE_URL a role that is only a member of duly_app; the owner is for migrations"
        return wrong("database role", f"{role.name} can write money past the functions", advice)
    return ok("database role", f"{role.name}: reads, and writes money through functions only")
