"""After a restore: adopting the files of refunds that the bank has."""

from collections import Counter
from pathlib import Path

from activities.bank.missing.refund_adoption import RefundAdopted, RefundAdoption, RefundBecame
from activities.bank.missing.sent_refunds import all_refunds_in
from commands.bank.refund_export import read_payees
from commands.output import Output, problem_table, table
from commands.session import database_of, read_settings
from models.problem import Problem


async def adopt(output: Output, file: Path, payees: Path | None, *, actor: str, reason: str) -> None:
    """Write down again the refunds of a file. A bad one is named, and every good one is kept. Raises RefusedError."""
    (sent, whole), known = all_refunds_in(file), read_payees(payees)
    async with database_of(read_settings()) as database:
        results = await RefundAdoption(database, known, actor=actor, reason=reason).adopt(sent)
    done = [one for one in results if isinstance(one, RefundAdopted)]
    problems = [*whole, *(one for one in results if isinstance(one, Problem))]
    counts = Counter({str(became): 0 for became in RefundBecame})
    counts.update(str(one.became) for one in done)
    output.answer(
        {
            "refunds": [
                {"line": one.line, "reference": one.reference, "account_id": one.account_id, "outcome": one.became}
                for one in done
            ],
            "problems": [problem.as_document() for problem in problems],
            "summary": {**counts, "refused": len(problems)},
        },
        table(
            "",
            "Line",
            "Reference",
            "Account",
            "Outcome",
            rows=[(one.line, one.reference, one.account_id, one.became) for one in done],
        ),
        *([problem_table(problems)] if problems else []),
        is_good=not problems,
    )
