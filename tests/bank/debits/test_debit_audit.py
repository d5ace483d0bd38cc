"""The nightly audit compares statements, debits and attempts: what one of them has and another not is named."""

from pathlib import Path

from sqlalchemy import text

from activities.database import Database
from tests.bank.debits.direct_debits import DirectDebits, credited, returned
from tests.support.attempts import broken_invariants
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

LINE, DEBIT, ATTEMPT = "I25 line of bank debits", "I25 debit as its lines have it", "I26 attempt of a bank debit"
CLEARING = "I27 clearing of bank debits is zero"


async def test_the_audit_names_what_statements_debits_attempts_and_ledger_do_not_agree_on(
    merchant: Merchant, cli: CommandLine, database: Database, tmp_path: Path
) -> None:
    debits = DirectDebits(merchant, cli, database, tmp_path)
    await debits.set_up()
    ids = [(await debits.collect(await debits.payer(name))).gateway_reference for name in ("c1", "c2")]
    await debits.export()
    await debits.statement(*(credited(id, "25.00", f"B{id}") for id in ids), name="1.xml")
    await debits.statement(returned(ids[1], "28.50", "MD06"), name="2.xml")
    lines = "select brought_by, taken_back_by from duly.debits where id = :id"
    [brought, _], [_, back] = [(await merchant.run(lines, id=id))[0] for id in ids]

    async def found(change: str, **values: str) -> list[tuple[str, str]]:
        """Return what the audit finds after a change, which is undone."""
        async with merchant.engine.connect() as connection:
            await connection.execute(text(change), values)
            rows = await connection.execute(text("select rule, offender from duly.invariant_violations order by 1, 2"))
            return [(row.rule, row.offender) for row in rows]

    assert await broken_invariants(merchant) == []
    assert await found("update duly.debit_lines set amount_minor = 2499 where key = :key", key=brought) == [
        (LINE, brought)
    ]
    assert await found("update duly.debit_lines set amount_minor = -2499 where key = :key", key=back) == [(LINE, back)]
    assert await found("update duly.debits set state = 'returned' where id = :id", id=ids[0]) == [(DEBIT, ids[0])]
    assert await found("update duly.debits set brought_by = null where id = :id", id=ids[0]) == [
        (DEBIT, ids[0]),
        (LINE, brought),
    ]
    declined = "update duly.gateway_attempts a set outcome = 'declined' from duly.debits d"
    declined += " where d.id = :id and (a.request_id, a.attempt) = (d.request_id, d.attempt)"
    assert await found(declined, id=ids[0]) == [(ATTEMPT, ids[0])]
    fee = "select duly.book_gateway_fee('one more', 'sepa', 'EUR', 350, :id)"
    assert await found(fee, id=ids[0]) == [(CLEARING, "gateway_clearing:sepa EUR")]
