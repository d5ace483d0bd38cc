"""Issuing, redeeming, cancelling and showing vouchers."""

import csv
import os
import secrets
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from getpass import getpass
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from activities.database import RuleBrokenError, SchemaMismatchError
from activities.ledger.audit import expire_vouchers
from activities.vouchers.vouchers import VoucherOrder, Vouchers
from activities.wallets.wallets import Wallets
from commands.changing.changes import person_of
from commands.collection_signals import signal_collections
from commands.formatting import document, money
from commands.lists.paging import answer_list, state_word
from commands.output import Output, table
from commands.session import database_of, read_settings, reading_database_of
from models.ledger.refusals import LedgerError
from models.listing import ListPage, heading_of
from models.money import Money, MoneyError
from models.problem import RefusedError, refusal
from models.vouchers.voucher import (
    ALPHABET,
    CODE_LENGTH,
    GROUP_LENGTH,
    MOST_IN_BATCH,
    VoucherState,
    hash_of_code,
)

# The database, or a rule before it, has refused: nothing was written.
_NOTHING_ISSUED = (LedgerError, RefusedError, RuleBrokenError, SchemaMismatchError)


@dataclass(frozen=True)
class VoucherRequest:
    """What is to be issued, as a person says it: amounts in major units, a currency where nobody buys."""

    count: int
    amount: str
    type: str
    account: str
    currency: str
    expires_on: date | None
    file: Path | None


async def issue(output: Output, asked: VoucherRequest, *, id: str, actor: str, reason: str) -> None:
    """Issue a batch; its codes are written or shown. Raises RefusedError, and then no file is left.

    Where nobody knows whether the batch is there, such as when the database does not answer, the file stays.
    """
    if not 1 <= asked.count <= MOST_IN_BATCH:
        what = f"a batch has 1 to {MOST_IN_BATCH} vouchers, not {asked.count}"
        raise refusal("count", "voucher_count", what)
    codes = {hash_of_code(code): code for code in (_new_code() for _ in range(asked.count))}
    settings = read_settings()
    async with database_of(settings) as database:
        currency = await _currency(Wallets(database), asked)
        order = VoucherOrder(
            *(_key(id), asked.type, _minor(asked.amount, currency), currency, asked.account or None, asked.expires_on),
            *(person_of(actor), reason),
        )
        # The file is there before the commit: who fails between both has codes that are worth nothing, not vouchers
        # whose codes nobody knows.
        _write(asked.file, list(codes.values()))
        try:
            batch, made, is_new = await Vouchers(database).issue(order, list(codes))
        except _NOTHING_ISSUED:
            _remove(asked.file)
            raise
        except BaseException:
            _keep(output, asked.file, id)
            raise
        signals = await signal_collections(output, database, settings, [asked.account]) if asked.account else {}
    if not is_new:
        _remove(asked.file)
    shown = [(one.number, codes[one.code_hash]) for one in made] if is_new and asked.file is None else []
    listed = [{"number": number, "code": code} for number, code in shown]
    text = f"Issued {batch.number}: {batch.vouchers} of {money(batch.amount_minor, batch.currency)}."
    if not is_new:
        text = f"{batch.number} was issued already; its codes are known to who got them then."
    tables = [table("Codes, shown this once", "Voucher", "Code", rows=shown)] if shown else []
    named = {"file": str(asked.file) if asked.file and is_new else None}
    output.answer({"batch": document(batch), "vouchers": listed, **named, **signals}, text, *tables)


async def redeem(output: Output, account: str, *, id: str, actor: str, reason: str) -> None:
    """Ask for a code, and redeem its voucher."""
    await redeem_code(output, account, hash_of_code(_code()), id=id, actor=actor, reason=reason)


async def redeem_code(output: Output, account: str, code_hash: str, *, id: str, actor: str, reason: str) -> None:
    """Redeem the voucher of a code's hash, and signal the collections of what it has paid."""
    settings = read_settings()
    async with database_of(settings) as database:
        vouchers = Vouchers(database)
        made = await vouchers.redeem(account, code_hash, key=_key(id), actor=person_of(actor), reason=reason)
        signals = await signal_collections(output, database, settings, [account])
    text = f"Redeemed {made.number}: {money(made.amount_minor, made.currency)} by {made.payment} for {made.account_id}."
    output.answer({"voucher": document(made), **signals}, text)


async def cancel(output: Output, identifier: str, *, id: str, actor: str, reason: str) -> None:
    """Cancel a voucher, or what is out of a batch, and signal the collections of who has bought it."""
    settings = read_settings()
    async with database_of(settings) as database:
        steps = await Vouchers(database).cancel(identifier, key=_key(id), actor=person_of(actor), reason=reason)
        accounts = [steps[0].account_id] if steps[0].account_id else []
        signals = await signal_collections(output, database, settings, accounts) if accounts else {}
    lines = []
    for step in steps:
        note = f", credited by {step.document}" if step.document else ""
        if step.account_id and not step.document:
            note = ", which was written off and is credited to nobody"
        lines.append(f"Cancelled {money(step.amount_minor, step.currency)} of {identifier}{note}.")
    cancelled = {"cancelled": document(steps[0]), "steps": [document(step) for step in steps]}
    output.answer({**cancelled, **signals}, "\n".join(lines))


async def expire(output: Output) -> None:
    """Book what has expired."""
    async with database_of(read_settings()) as database:
        expired = await expire_vouchers(database)
    output.answer({"expired": expired}, f"{expired} vouchers have expired and are booked.")


async def show(output: Output, identifier: str) -> None:
    """Show a voucher or a batch. Raises RefusedError (voucher_exists)."""
    async with reading_database_of(read_settings()) as database:
        vouchers = Vouchers(database)
        voucher = await vouchers.voucher(identifier)
        batch = await vouchers.batch(voucher.batch if voucher else identifier)
        counts, steps = await vouchers.counts(batch.id), await vouchers.steps(batch.id)
    shown = voucher or batch
    facts = [
        *((heading_of(name), value) for name, value in _facts(shown).items() if value is not None),
        *([] if voucher else [(state.capitalize(), count) for state, count in counts.items()]),
    ]
    more = {} if voucher else {"counts": counts, "steps": [document(step) for step in steps]}
    tables = [table("", "Voucher" if voucher else "Batch", shown.number, rows=facts)]
    output.answer({**document(shown), **more}, *tables, *([] if voucher else [_steps(steps)]))


async def list_page(output: Output, page: ListPage, *, batch: str, account_id: str, state: VoucherState | None) -> None:
    """List a page of vouchers, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await Vouchers(database).page(page, batch=batch, account_id=account_id, state=state)
    columns = {
        "Voucher": lambda row: row.number,
        "Batch": lambda row: row.batch,
        "Type": lambda row: row.type_id,
        "Amount>": lambda row: money(row.amount_minor, row.currency),
        "Expires": lambda row: row.expires_on,
        "State": state_word,
        "Account": lambda row: row.account_id,
        "Payment": lambda row: row.payment,
    }
    await answer_list(output, settings, "vouchers", listed, columns)


async def _currency(accounts: Wallets, asked: VoucherRequest) -> str:
    if asked.account:
        return str((await accounts.account(asked.account)).currency)
    if not asked.currency:
        raise refusal("currency", "value_required", "in which currency are they worth anything?")
    return asked.currency


def _minor(amount: str, currency: str) -> int:
    try:
        return Money.parse(amount, currency).amount_minor
    except (MoneyError, ValueError) as error:
        raise refusal("amount", "amount_format", str(error)) from error


def _new_code() -> str:
    """Return a new code of 100 random bits, in groups of four: XXXX-XXXX-XXXX-XXXX-XXXX."""
    characters = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return "-".join(characters[at : at + GROUP_LENGTH] for at in range(0, CODE_LENGTH, GROUP_LENGTH))


def _code() -> str:
    """Return the code that a person types unseen, or the first line of standard input: arguments are seen and kept."""
    given = getpass("Code: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not given.strip():
        raise refusal("code", "value_required", "the first line of standard input is the code")
    return given.strip()


def _write(file: Path | None, codes: Sequence[str]) -> None:
    if file is None:
        return
    try:
        # Whoever reads it can spend it: nobody else on the machine does.
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as opened:
            csv.writer(opened, lineterminator="\n").writerows([("code",), *((code,) for code in codes)])
            opened.flush()
            os.fsync(opened.fileno())
    except FileExistsError as error:
        raise refusal("output", "file_is_new", f"{file.name} exists; codes are not written over anything") from error
    except OSError as error:
        raise refusal("output", "file_writable", f"{file.name}: {error.strerror}") from error


def _keep(output: Output, file: Path | None, id: str) -> None:
    """Tell whoever has asked that the codes of a file may be worth something."""
    if file is not None:
        again = f"issue them again with --id {id} and another file, which says" if id else "`vouchers list` says"
        output.note(f"{file.name} stays: {again} whether its vouchers were issued.")


def _remove(file: Path | None) -> None:
    if file is not None:
        file.unlink(missing_ok=True)


def _key(id: str) -> str:
    return f"vouchers:{id}" if id else f"cli:{uuid.uuid4()}"


def _facts(row: Row[Any]) -> dict[str, object]:
    facts = {name: value for name, value in row._asdict().items() if name not in ("amount_minor", "number")}
    return {**facts, "amount": money(row.amount_minor, row.currency)}


def _steps(steps: Sequence[Row[Any]]) -> Any:
    rows = [
        (one.posted_on, one.kind, money(one.amount_minor, one.currency), one.account_id, one.document, one.actor)
        for one in steps
    ]
    return table("Steps", "Posted", "What", "Amount", "Account", "Document", "Who", rows=rows, right=("Amount",))
