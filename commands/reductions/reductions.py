"""Awarding reductions, one or a file of them, showing them, and deciding about them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import select
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.database import Database, RuleBrokenError
from activities.imports.csv_files import csv_rows
from activities.reductions.merchants import Merchants
from activities.reductions.queries import ReductionQueries
from activities.reductions.reductions import ReductionActivities, open_reduction
from commands.formatting import moment, money
from commands.links import link_line, workflow_link
from commands.lists.next_actions import next_action, next_document, next_fact
from commands.lists.paging import answer_list, state_word
from commands.output import Output, problem_table, table
from commands.session import database_of, read_settings, reading_database_of, temporal_for_orders
from commands.updates import ask, start_and_ask
from models.imports.columns import AWARDS
from models.listing import ListPage
from models.money import Money, MoneyError
from models.operations.payment_states import REDUCTION, REDUCTION_PART
from models.problem import Problem, refusal
from models.reductions.award_rows import AwardRow, award_row
from models.reductions.reduction import (
    Award,
    Decision,
    InvalidAwardError,
    Reduction,
    ReductionDecision,
    ReductionRequest,
    ReductionState,
)
from models.tables.returns import ReductionRow
from models.workflow_ids import WORKFLOW_QUEUE, reduction_id
from workflows.reductions.back_end_reduction import BackEndReduction
from workflows.visibility import reduction_label

BATCH = 100


@dataclass(frozen=True)
class ReductionFilter:
    """Which reductions are listed; what is empty lets all through."""

    account_id: str
    merchant_id: str
    state: str


async def create(
    output: Output, award: str, account: str, merchant: str, amount: str, payment: str, *, wait_seconds: float
) -> None:
    """Award one reduction. Raises RefusedError naming the rule."""
    settings = read_settings()
    async with database_of(settings) as database:
        known = {row.id: row.currency for row in await Merchants(database).everything()}
    if merchant not in known:
        raise refusal("merchant", "merchant_exists", f"there is no merchant {merchant!r}")
    wanted = _award(award, merchant, account, amount, known, payment)
    accepted = await _accepted(await temporal_for_orders(settings), wanted, settings.provider, wait_seconds)
    link = workflow_link(settings, reduction_id(award))
    output.answer(
        {"reduction": _reduction(accepted), "link": link},
        table("", "Reduction", award, rows=_facts(accepted)),
        *link_line(link),
    )


async def import_file(output: Output, file: Path, *, is_sent: bool) -> None:
    """Award the rows of a file. Raises RefusedError when it is no such file; nothing is written then."""
    settings = read_settings()
    client = await temporal_for_orders(settings) if is_sent else None
    counts: Counter[str] = Counter(awarded=0, refused=0)
    problems: list[Problem] = []
    rows = csv_rows(AWARDS, file, award_row)
    async with database_of(settings) as database:
        while batch := list(islice(rows, BATCH)):
            problems += [one for one in batch if isinstance(one, Problem)]
            done = await asyncio.gather(*(_write(database, one) for one in batch if isinstance(one, AwardRow)))
            problems += [one for one in done if isinstance(one, Problem)]
            written = [one for one in done if isinstance(one, Reduction)]
            counts["awarded"] += len(written)
            if client is not None:
                due = [one for one in written if one.state is ReductionState.AWARDED]
                await _start(client, due, settings.provider)
    counts["refused"] = len({problem.line for problem in problems})
    output.answer(
        {"summary": dict(counts), "problems": [problem.as_document() for problem in problems]},
        *([problem_table(problems)] if problems else []),
        table("Awards", "Outcome", "Number", rows=list(counts.items()), right=("Number",)),
        is_good=not problems,
    )


async def show(output: Output, award: str) -> None:
    """Show one reduction."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        found = await _found(database, award)
        decisions = await ReductionQueries(database).decisions(award)
    action = await next_action(settings, reduction_id(award))
    link = workflow_link(settings, reduction_id(award))
    parts = [
        (
            each.part,
            each.refund_id or "credit note",
            money(each.amount_minor, found.currency),
            REDUCTION_PART.word(each.state),
            each.code,
        )
        for each in found.parts
    ]
    output.answer(
        {**_reduction(found), "decisions": list(decisions), **next_document(action), "link": link},
        table("", "Reduction", award, rows=[*_facts(found), *next_fact(action)]),
        table("Parts", "Part", "By", "Amount", "State", "Why", rows=parts, right=("Amount",)),
        table("Decisions", "What was decided", rows=[(decision,) for decision in decisions]),
        *link_line(link),
    )


async def list_page(output: Output, page: ListPage, wanted: ReductionFilter) -> None:
    """List a page of reductions, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await ReductionQueries(database).page(page, **asdict(wanted))
    columns = {
        "Award": lambda row: row.id,
        "Merchant": lambda row: row.merchant_id,
        "Account": lambda row: row.account_id,
        "Amount>": lambda row: money(row.amount_minor, row.currency),
        "State": state_word,
        "Why": lambda row: row.reason,
    }
    await answer_list(output, settings, "reductions", listed, columns, workflow_id=lambda row: reduction_id(row.id))


async def decide(output: Output, award: str, decision: Decision, *, actor: str, reason: str) -> None:
    """Say what becomes of a reduction. Raises RefusedError with its own reason."""
    command = ReductionDecision(actor, reason, decision=decision)
    client = await temporal_for_orders(read_settings())
    answered = await ask(client, reduction_id(award), "decide", command, str, noun="reduction")
    output.answer({"reduction": award, "answer": answered}, table("", "Reduction", award, rows=[("Answer", answered)]))


async def _accepted(client: Client, award: Award, provider: str, wait_seconds: float) -> Reduction:
    def operation() -> WithStartWorkflowOperation[Any, Any]:
        return WithStartWorkflowOperation(
            BackEndReduction.run,
            ReductionRequest(award.award_id, provider, award),
            id=reduction_id(award.award_id),
            task_queue=WORKFLOW_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            **reduction_label(award.award_id, merchant=award.merchant_id, account=award.account_id),
        )

    return await start_and_ask(
        client,
        operation,
        "accepted",
        Reduction,
        workflow_id=reduction_id(award.award_id),
        noun="award",
        wait_seconds=wait_seconds,
    )


async def _write(database: Database, row: AwardRow) -> Reduction | Problem:
    assert row.award is not None  # noqa: S101  # a row without an award is a problem
    try:
        return await open_reduction(database, row.award)
    except RuleBrokenError as error:
        field, found, message = error.message.partition(": ")
        return Problem(field if found else "award", error.type or "", message or error.message, AWARDS, row.line)


async def _start(client: Client, reductions: Sequence[Reduction], provider: str) -> None:
    for one in reductions:
        try:
            await client.start_workflow(
                BackEndReduction.run,
                ReductionRequest(one.award_id, provider),
                id=reduction_id(one.award_id),
                task_queue=WORKFLOW_QUEUE,
                **reduction_label(one.award_id, merchant=one.merchant_id, account=one.account_id),
            )
        except WorkflowAlreadyStartedError:
            continue


def _award(award: str, merchant: str, account: str, amount: str, known: dict[str, str], payment: str) -> Award:
    try:
        amount_minor = Money.parse(amount, known[merchant]).amount_minor
        return Award(award, merchant, account, amount_minor, known[merchant], payment)
    except MoneyError as error:
        raise refusal("amount", "amount_valid", str(error)) from error
    except InvalidAwardError as error:
        field, _, message = str(error).partition(": ")
        raise refusal(field, "award_valid", message) from error


async def _found(database: Database, award: str) -> Reduction:
    if not await database.read(select(ReductionRow.award_id).where(ReductionRow.award_id == award)):
        raise refusal("award", "award_exists", f"there is no award {award!r}")
    return await ReductionActivities(database).load_reduction(award)


def _state(found: Reduction) -> str:
    return REDUCTION.word(found.stage, "frozen" if found.is_disputed else "")


def _reduction(found: Reduction) -> dict[str, Any]:
    """Return a reduction as a program reads it: its states, and those of its parts, by their words."""
    parts = [{**asdict(each), "state": REDUCTION_PART.word(each.state)} for each in found.parts]
    return {**asdict(found), "state": _state(found), "parts": parts}


def _facts(found: Reduction) -> list[tuple[str, object]]:
    facts = [
        ("Merchant", found.merchant_id),
        ("Account", found.account_id),
        ("Sale", found.payment_id),
        ("Amount", money(found.amount_minor, found.currency)),
        ("Granted", money(found.granted_minor, found.currency)),
        ("State", f"{_state(found)} {found.reason}".strip()),
        ("Frozen", "a payment it hangs on is disputed" if found.is_disputed else ""),
        ("Awarded", moment(found.awarded_at)),
    ]
    return [(name, value) for name, value in facts if value]
