"""A person's decision about a month's refunds that the schedule has drafted."""

from dataclasses import asdict

from commands.output import Output, table
from commands.session import read_settings, temporal_for_orders
from commands.updates import ask
from models.bank.bank_refunds import BankRefundsRecord
from models.operator_command import OperatorCommand
from models.workflow_ids import bank_refunds_id


async def decide(output: Output, period: str, *, release: bool, actor: str, reason: str) -> None:
    """Release or reject a month's refunds. Raises RefusedError with the workflow's reason, as of a month decided."""
    client = await temporal_for_orders(read_settings())
    record = await ask(
        client,
        bank_refunds_id(period),
        "release" if release else "reject",
        OperatorCommand(actor, reason),
        BankRefundsRecord,
        noun="month",
    )
    rows = [("State", record.state), ("Refunds", record.refunds), ("By", record.actor), ("Why", record.reason)]
    output.answer({"bank_refunds": asdict(record)}, table("", "Refunds of", period, rows=rows))
    if release:
        output.note(f"Now write the file: duly refunds export {period} FILE")
