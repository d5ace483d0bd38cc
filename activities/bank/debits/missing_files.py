"""Files of debits that the bank has and a restored database has forgotten: each is read and written down again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from lxml import etree

from activities.bank.iso20022 import Leaves, elements, local, message_of
from activities.database import Database, RuleBrokenError
from models.money import Money, MoneyError
from models.problem import Problem, refusal

DEBITS = "CstmrDrctDbtInitn"
_IDS = {"debit": "DD-", "batch": "DDB-"}
_DEBIT_PATHS = {
    "debit": "PmtId/EndToEndId",
    "mandate": "DrctDbtTx/MndtRltdInf/MndtId",
}


# It is known by mandate and amount alone, which may be those of another debit of the file.
_UNCLEAR = "unclear"


class FileBecame(StrEnum):
    """What became of a debit that a file names."""

    ADOPTED = "adopted"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class SentDebit:
    """One debit as a file that the bank has names it."""

    line: int
    id: str
    batch: str
    payment_information: str
    mandate: str
    amount: Money
    sequence_type: str
    collect_on: date
    text: str = ""


@dataclass(frozen=True)
class DebitAdopted:
    """A debit of a file, and what that did."""

    line: int
    debit: str
    became: FileBecame


class MissingFiles:
    """Writes down again what a file that `debits export` wrote asks of the bank; each debit once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def adopt(
        self, provider: str, sent: Sequence[SentDebit], *, actor: str, reason: str
    ) -> list[DebitAdopted | Problem]:
        """Let each debit be in its file, or return the problem with it; what it is in already stays.

        Those that are known by their id or their invoices come first: nobody takes the row of another.
        """
        done: dict[SentDebit, DebitAdopted | Problem] = {}
        for is_last in (False, True):
            for one in sent:
                if one not in done and (
                    became := await self._adopt(provider, one, is_last=is_last, actor=actor, reason=reason)
                ):
                    done[one] = became
        return [done[one] for one in sent]

    async def _adopt(
        self, provider: str, sent: SentDebit, *, is_last: bool, actor: str, reason: str
    ) -> DebitAdopted | Problem | None:
        try:
            became = await self._database.call(
                "adopt_debit",
                provider_id=provider,
                batch_id=sent.batch,
                payment_information=sent.payment_information,
                id=sent.id,
                mandate_id=sent.mandate,
                amount_minor=sent.amount.amount_minor,
                currency=sent.amount.currency,
                sequence_type=sent.sequence_type,
                collect_on=sent.collect_on,
                text=sent.text,
                is_last=is_last,
                actor=actor,
                reason=reason,
            )
        except RuleBrokenError as error:
            field, _, message = str(error).partition(": ")
            return Problem(field, error.type or "refused", message, "debits", sent.line)
        return None if became == _UNCLEAR else DebitAdopted(sent.line, sent.id, FileBecame(became))


def debits_in(path: Path) -> list[SentDebit]:
    """Read a pain.008 of ours. Raises RefusedError, naming field and rule, before anything is written."""
    if (message := message_of(path)) != DEBITS:
        raise refusal("file", "debits_message", f"holds {message or 'no message'}; files of debits are pain.008")
    return list(_debits(path))


def _debits(path: Path) -> Iterator[SentDebit]:
    batch = ""
    for element in elements(path, {"GrpHdr", "PmtInf"}, path.name):
        if isinstance(element, Problem):
            raise refusal(element.field, element.rule, element.message)
        if local(element) == "GrpHdr":
            batch = Leaves(element).first("MsgId")
            continue
        part = Leaves(element, leaving_out={"DrctDbtTxInf"})
        for debit in (child for child in element if local(child) == "DrctDbtTxInf"):
            yield _debit(debit, part, batch)


def _debit(element: "etree._Element", part: Leaves, batch: str) -> SentDebit:
    leaves = Leaves(element)
    read = {name: leaves.first(path) for name, path in _DEBIT_PATHS.items()} | {"batch": batch}
    for name, prefix in _IDS.items():
        if not read[name].startswith(prefix):
            raise refusal(name, "written_here", f"line {leaves.line}: {read[name]!r} is no {name} that Duly has named")
    try:
        amount = Money.parse(*leaves.amounts.get("InstdAmt", [("", "")])[0])
        collect_on = date.fromisoformat(part.first("ReqdColltnDt"))
    except (MoneyError, ValueError) as error:
        raise refusal("amount", "amount_and_day", f"line {leaves.line}: {error}") from error
    return SentDebit(
        leaves.line,
        read["debit"],
        batch,
        part.first("PmtInfId"),
        read["mandate"],
        amount,
        part.first("PmtTpInf/SeqTp"),
        collect_on,
        leaves.first("RmtInf/Ustrd"),
    )
