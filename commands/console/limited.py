"""Actions on transactions that have limits: what each comes to, and the use case that carries it out."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table
from sqlalchemy import select

from activities.database import Database
from activities.ledger.transaction_queries import TransactionQueries
from commands.ledger.corrections import Because, cancel, move, quick_pay, write_off
from commands.ledger.drafts import post
from commands.ledger.transaction_writer import WriteOptions
from commands.output import ExitCode, Output, Stream
from commands.refunds.credit import CreditOptions
from commands.refunds.refunds import RefundOptions, create
from models.console.approval import LimitedKind
from models.gateway.gateway_request import RequestKind
from models.ledger.account import AccountKind
from models.money import Money, MoneyError
from models.problem import refusal
from models.tables.accounts import AccountRow

if TYPE_CHECKING:
    from rich.console import RenderableType

# What is waited for a first answer; a refund goes on by itself.
ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class AskedAction:
    """What somebody asks for: of what, who, why, under which key, and the fields of the form."""

    id: str
    actor: str
    reason: str
    key: str
    fields: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")


# What posting a draft gives away.
_POSTED: Mapping[str, LimitedKind] = {
    "credit_note": LimitedKind.CREDIT_NOTE,
    "payment": LimitedKind.PAYMENT,
    "refund": LimitedKind.REFUND,
}
Carry = Callable[[Output, AskedAction], Awaitable[None]]


@dataclass(frozen=True)
class LimitedAction:
    """An action with a limit: the command of the same words, and what carries it out."""

    kind: LimitedKind
    command: str
    carry: Carry

    async def kind_of(self, database: Database, id: str) -> LimitedKind | None:
        """Return what it is of a transaction; None where that gives nothing away."""
        if self.kind is LimitedKind.CREDIT_NOTE:
            found = await TransactionQueries(database).require(id)
            return _POSTED.get(found.classification)
        if self.kind is LimitedKind.MOVE:
            found = await TransactionQueries(database).require(id)
            account = await database.read_first(select(AccountRow.kind).where(AccountRow.id == found.account_id))
            is_suspense = account is not None and account.kind is AccountKind.SUSPENSE
            return LimitedKind.SUSPENSE_MOVE if is_suspense else LimitedKind.MOVE
        return self.kind


@dataclass(frozen=True)
class Amounting:
    """What something comes to at most, and whose it is; in minor units."""

    account_id: str | None
    amount_minor: int
    currency: str


class CapturedOutput(Output):
    """What a use case answers, kept as lines instead of being written to a terminal.

    It `waits` for another person; or it has what is `shown_once` to who has asked, by name, and kept nowhere.
    """

    def __init__(self) -> None:
        super().__init__(as_json=False)
        self.lines: list[str] = []
        self.waits = False
        self.shown_once: Sequence[tuple[str, str]] = ()

    def answer(self, document: Mapping[str, Any], *view: "RenderableType", is_good: bool = True) -> None:
        """Keep the view: a table's rows as lines."""
        del document
        if not is_good:
            self.exit_code = ExitCode.REFUSED
        for part in view:
            self.lines += _lines(part)

    def note(self, text: str) -> None:
        """Keep what is said beside the answer."""
        self.lines.append(text)

    @contextmanager
    def stream(self, name: str) -> Iterator[Stream]:
        """Keep what is said behind the rows."""
        del name
        yield CapturedStream(self)


class CapturedStream(Stream):
    """Rows that are counted and not said one by one: what they come to is the answer."""

    def __init__(self, output: CapturedOutput) -> None:
        super().__init__(output, "")
        self._captured = output

    def rows(self, documents: Iterable[Mapping[str, Any]], view: Table | None = None) -> None:
        """Leave rows out."""

    def finish(self, rest: Mapping[str, Any], *view: "RenderableType", is_good: bool = True) -> None:
        """Keep what follows the rows."""
        self._captured.answer(rest, *view, is_good=is_good)


def options_of(asked: AskedAction) -> WriteOptions:
    """Return who writes, under the form's key: once."""
    return WriteOptions(asked.actor, f"console:{asked.key}")


async def amounting(database: Database, action: str, asked: AskedAction) -> Amounting:
    """Return what an action comes to at most. Raises RefusedError: there is no such transaction or amount."""
    found = await TransactionQueries(database).require(asked.id)
    amount = found.total_minor
    if action in {"transactions/write-off", "transactions/quick-pay"}:
        amount = found.unsettled_minor or 0
    elif asked["amount"]:
        try:
            amount = Money.parse(asked["amount"], found.currency).amount_minor
        except MoneyError as error:
            raise refusal("amount", "amount_valid", str(error)) from error
        if amount <= 0:
            raise refusal("amount", "amount_in_range", "must be more than nothing")
    return Amounting(found.account_id, amount, found.currency)


async def _refund(output: Output, asked: AskedAction) -> None:
    credit = CreditOptions() if asked["credit_note"] == "yes" else None
    options = RefundOptions(
        asked.id,
        RequestKind.REFUND,
        asked["amount"],
        f"rf_{asked.key}",
        asked.actor,
        asked.reason,
        asked["acknowledge"] == "yes",
        credit,
    )
    await create(output, options, wait_seconds=ANSWER_SECONDS)


async def _cancel_payment(output: Output, asked: AskedAction) -> None:
    options = RefundOptions(
        *(asked.id, RequestKind.PAYMENT_CANCELLATION, "", f"rf_{asked.key}", asked.actor, asked.reason),
        is_acknowledged=True,
    )
    await create(output, options, wait_seconds=ANSWER_SECONDS)


async def _cancel(output: Output, asked: AskedAction) -> None:
    await cancel(output, asked.id, Because(asked["type"] or None, asked.reason), options_of(asked))


async def _write_off(output: Output, asked: AskedAction) -> None:
    await write_off(output, asked.id, Because(asked["type"] or None, asked.reason), options_of(asked))


async def _post(output: Output, asked: AskedAction) -> None:
    await post(output, asked.id, options_of(asked), posted_on=None, is_acknowledged=asked["acknowledge"] == "yes")


async def _move(output: Output, asked: AskedAction) -> None:
    await move(output, asked.id, asked["account"], Because(reason=asked.reason), options_of(asked))


async def _quick_pay(output: Output, asked: AskedAction) -> None:
    reference = asked["reference"] or None
    await quick_pay(output, asked.id, asked["method"], Because(), options_of(asked), reference=reference)


def _lines(part: "RenderableType") -> list[str]:
    if not isinstance(part, Table):
        return [str(part)]
    columns = [[str(cell) for cell in column.cells] for column in part.columns]
    return [": ".join(filter(None, row)) for row in zip(*columns, strict=True)]


LIMITED: Mapping[str, LimitedAction] = {
    "transactions/refund": LimitedAction(LimitedKind.REFUND, "refunds create", _refund),
    "transactions/cancel-payment": LimitedAction(LimitedKind.REFUND, "refunds cancel", _cancel_payment),
    "transactions/write-off": LimitedAction(LimitedKind.WRITE_OFF, "transactions write-off", _write_off),
    "transactions/cancel": LimitedAction(LimitedKind.CANCELLATION, "transactions cancel", _cancel),
    "transactions/cancel-by-hand": LimitedAction(LimitedKind.CANCELLATION, "transactions cancel", _cancel),
    "transactions/post": LimitedAction(LimitedKind.CREDIT_NOTE, "transactions post", _post),
    "transactions/quick-pay": LimitedAction(LimitedKind.PAYMENT, "transactions quick-pay", _quick_pay),
    "transactions/move": LimitedAction(LimitedKind.MOVE, "transactions move", _move),
}
