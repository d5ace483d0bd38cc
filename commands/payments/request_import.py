"""Making payment requests from a file, one a row: what each of several accounts is asked for."""

import asyncio
from collections import Counter
from functools import partial
from itertools import islice
from pathlib import Path

from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.database import Database, RuleBrokenError
from activities.imports.csv_files import csv_rows
from activities.payments.payment_requests import open_payment_request
from commands.output import Output, problem_table, table
from commands.session import database_of, read_settings, temporal_for_orders
from commands.updates import require_who_and_why
from models.imports.columns import PAYMENT_REQUESTS
from models.payments.payment_request import PaymentRequestInput
from models.payments.request_rows import PaymentRequestLine, payment_request_line
from models.problem import Problem
from models.workflow_ids import WORKFLOW_QUEUE, payment_request_id
from workflows.payments.payment_request import PaymentRequest
from workflows.visibility import payment_request_label

BATCH = 50


async def import_file(output: Output, file: Path, provider: str, *, actor: str, reason: str) -> None:
    """Make the request of every good row, once by its id. Raises RefusedError when it is no such file.

    A row that is refused, by itself or by the rules of its account, is named with its line; the others are made.
    """
    require_who_and_why(actor, reason)
    settings = read_settings()
    client = await temporal_for_orders(settings)
    counts: Counter[str] = Counter(made=0, refused=0)
    problems: list[Problem] = []
    rows = csv_rows(PAYMENT_REQUESTS, file, partial(payment_request_line, sender=actor, reason=reason))
    async with database_of(settings) as database:
        while batch := list(islice(rows, BATCH)):
            problems += [one for one in batch if isinstance(one, Problem)]
            lines = [one for one in batch if isinstance(one, PaymentRequestLine)]
            done = await asyncio.gather(*(_made(database, client, one, provider) for one in lines))
            problems += [one for one in done if one is not None]
            counts["made"] += sum(one is None for one in done)
    counts["refused"] = len({problem.line for problem in problems})
    output.answer(
        {"summary": dict(counts), "problems": [problem.as_document() for problem in problems]},
        *([problem_table(problems)] if problems else []),
        table("Payment requests", "Outcome", "Number", rows=list(counts.items()), right=("Number",)),
        is_good=not problems,
    )


async def _made(database: Database, client: Client, line: PaymentRequestLine, provider: str) -> Problem | None:
    request = PaymentRequestInput(line.request_id, provider, line.terms)
    assert request.terms is not None  # noqa: S101  # a row without terms is a problem
    try:
        await open_payment_request(database, request)
    except RuleBrokenError as error:
        field, found, message = error.message.partition(": ")
        return Problem(
            field if found else "request_id",
            error.type or "",
            message or error.message,
            PAYMENT_REQUESTS,
            line.line,
        )
    try:
        await client.start_workflow(
            PaymentRequest.run,
            request,
            id=payment_request_id(line.request_id),
            task_queue=WORKFLOW_QUEUE,
            # What was over is read, and found over: its row knows it longer than Temporal does.
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            **payment_request_label(line.request_id, account=request.terms.account_id, provider=provider),
        )
    except WorkflowAlreadyStartedError:
        return None
    return None
