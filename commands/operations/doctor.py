"""`doctor`: is everything that Duly needs there, and as it must be?"""

from typing import Annotated

import typer

from commands.options import Json
from commands.runner import perform


def doctor(
    workflows: Annotated[
        bool, typer.Option("--workflows", help="Say of everything that is open and has no workflow what would be done.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check every setting and connection, and say what is wrong and what to do: exit code 1 when anything is.

    Settings; the database with its encryption, schema, role and server; Temporal with its encryption, namespace, search
    attributes, the workers on each queue, and how fast calls are sent and what limits that; the gateway's key and
    mode; where merchants are paid on accounts of their own, Stripe Connect, the endpoint of their events and each
    account; the clocks of gateway, database and this machine; the mail server. With `--workflows` it is a dry run of
    `supervise` instead: open collections, refunds, reductions, disputes, cards, runs and messages that have no
    workflow, and what resumes each.
    """
    from commands.operations.doctor_work import examine, examine_workflows

    perform(examine_workflows if workflows else examine, as_json=as_json)
