"""Showing disputes, defending them, and giving them up."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from activities.disputes.disputes import note, record_dispute
from activities.disputes.queries import DisputeQueries
from activities.documents import read_content
from commands.formatting import document, moment, money
from commands.gateway_session import gateway_in_mode
from commands.links import link_line, workflow_link
from commands.lists.next_actions import next_action, next_document, next_fact
from commands.lists.paging import answer_list, state_word
from commands.output import Output, table
from commands.session import database_of, read_settings, reading_database_of, temporal_for_orders
from commands.updates import ask, require_who_and_why
from models.disputes.dispute import EVIDENCE, DisputeData, DisputeDecision, DisputeRecord
from models.gateway.errors import GatewayInvalidRequestError
from models.listing import ListPage
from models.operator_command import OperatorCommand
from models.problem import Problem, RefusedError, refusal
from models.workflow_ids import dispute_id
from settings import Settings


async def list_page(output: Output, page: ListPage, *, account_id: str, state: str) -> None:
    """List a page of disputes, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await DisputeQueries(database).page(page, account_id=account_id, state=state)
    columns = {
        "Dispute": lambda row: row.id,
        "Account": lambda row: row.account_id,
        "Amount>": lambda row: money(row.amount_minor, row.currency),
        "Reason": lambda row: row.reason,
        "State": state_word,
        "Evidence by": lambda row: "submitted" if row.has_evidence else moment(row.evidence_due_at),
    }
    await answer_list(output, settings, "disputes", listed, columns, workflow_id=lambda row: dispute_id(row.id))


async def show(output: Output, dispute: str) -> None:
    """Show one dispute."""
    settings = read_settings()
    found = await _found(settings, dispute)
    action = await next_action(settings, dispute_id(dispute))
    link = workflow_link(settings, dispute_id(dispute))
    output.answer(
        {**document(found), **next_document(action), "link": link},
        table("", "Dispute", dispute, rows=[*_facts(found), *next_fact(action)]),
        table("Decisions", "What was decided", rows=[(decision,) for decision in found.decisions]),
        *link_line(link),
    )


async def submit(output: Output, dispute: str, file: Path, *, actor: str, reason: str) -> None:
    """Hand evidence to the bank. It names people, so it passes through no workflow and no table of ours."""
    require_who_and_why(actor, reason)
    evidence = read_evidence(file)
    settings = read_settings()
    found = await _found(settings, dispute)
    data = await _submitted(settings, dispute, found.provider_id, evidence)
    async with database_of(settings) as database:
        await note(database, DisputeDecision(dispute, actor, reason), f"evidence of {len(evidence)} texts submitted")
        stands = await record_dispute(database, settings.provider, data)
    command = OperatorCommand(actor, f"evidence submitted: {reason}")
    await ask(await temporal_for_orders(settings), dispute_id(dispute), "check_now", command, str, noun="dispute")
    output.answer(
        {"dispute": dispute, "submitted": sorted(evidence), "status": stands.status},
        table("", "Dispute", dispute, rows=[("Submitted", ", ".join(sorted(evidence))), ("Status", stands.status)]),
    )


async def accept(output: Output, dispute: str, *, actor: str, reason: str) -> None:
    """Give a dispute up. Raises RefusedError with its workflow's own reason."""
    client = await temporal_for_orders(read_settings())
    command = OperatorCommand(actor, reason)
    answered = await ask(client, dispute_id(dispute), "accept", command, DisputeRecord, noun="dispute")
    output.answer(
        {"dispute": dispute, "answer": asdict(answered)},
        table("", "Dispute", dispute, rows=[("State", answered.state), ("Status", answered.status)]),
    )


async def check(output: Output, dispute: str, *, actor: str, reason: str) -> None:
    """Let a dispute's workflow read it from the gateway now."""
    client = await temporal_for_orders(read_settings())
    answered = await ask(client, dispute_id(dispute), "check_now", OperatorCommand(actor, reason), str, noun="dispute")
    output.answer({"dispute": dispute, "answer": answered}, table("", "Dispute", dispute, rows=[("Answer", answered)]))


def read_evidence(file: Path) -> Mapping[str, str]:
    """Read a document of evidence. Raises RefusedError with every problem; what was written is in none of them."""
    content = read_content(file)
    problems = [problem for name, value in content.items() if (problem := _problem_of(name, value, file.name))]
    if not content:
        problems.append(Problem("document", "evidence_required", "says nothing", file.name))
    if problems:
        raise RefusedError(problems)
    return content


def _problem_of(name: str, value: object, source: str) -> Problem | None:
    if name not in EVIDENCE:
        return Problem(name, "evidence_known", f"is none of {', '.join(EVIDENCE)}", source)
    if not isinstance(value, str) or not value.strip() or len(value) > 20_000:
        return Problem(name, "evidence_is_text", "must be a text of 1 to 20,000 characters", source)
    return None


async def _submitted(settings: Settings, dispute: str, provider: str, evidence: Mapping[str, str]) -> DisputeData:
    digest = hashlib.sha256(json.dumps(evidence, sort_keys=True).encode()).hexdigest()[:32]
    try:
        async with gateway_in_mode(settings, provider) as gateway:
            return await gateway.submit_evidence(dispute, evidence, idempotency_key=f"evidence:{dispute}:{digest}")
    except GatewayInvalidRequestError as error:
        raise refusal("dispute", "gateway_takes_it", error.code) from error


async def _found(settings: Settings, dispute: str) -> Row[Any]:
    async with reading_database_of(settings) as database:
        found = await DisputeQueries(database).find(dispute)
    if found is None:
        raise refusal("dispute", "dispute_exists", f"there is no dispute {dispute!r}")
    return found


def _facts(found: Row[Any]) -> list[tuple[str, object]]:
    facts = [
        ("Account", found.account_id),
        ("Payment", found.payment_id),
        ("Amount", money(found.amount_minor, found.currency)),
        ("Reason", found.reason),
        ("State", f"{found.state} ({found.status})"),
        ("Evidence", "submitted" if found.has_evidence else f"none; due {moment(found.evidence_due_at)}"),
        ("Opened", moment(found.opened_at)),
        ("Decided", moment(found.closed_at)),
    ]
    return [(name, value) for name, value in facts if value]
