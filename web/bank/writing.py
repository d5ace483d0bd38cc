"""Files for the bank written: refunds drafted, debits put into a batch, and the file of either given to whoever asks.

Bank details are uploaded with each form that needs them, and kept nowhere; nor is a file, once it has been answered.
"""

import base64
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select
from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response

from activities.console.choices import FormChoices
from commands.bank.debits import export as export_debits
from commands.bank.refund_export import Export
from commands.bank.refund_export import export as export_refunds
from commands.changing.changes import KeptCommand
from commands.changing.keeping import keeping
from commands.console.limited import AskedAction, CapturedOutput
from commands.output import Failure, Output
from commands.runner import translated
from commands.session import served
from models.bank.refund_plan import FileFormat, PainVersion
from models.problem import RefusedError, refusal
from models.tables.configuration import SellerRow
from web.actions.action import Action, FormField, day_given, problems_of
from web.actions.forms import carried_once, require_key
from web.actions.of_bank_files import BATCH, DRAFT, FORMAT, format_of_form, month_of_form, stored_payees
from web.context import Visit
from web.security import FormBounds, text_of
from web.views.cells import address

PAYEES_BYTES_MAX = 1024 * 1024
WITH_PAYEES = FormBounds(PAYEES_BYTES_MAX * 3 // 2, files_max=1)
_PAYEES = "account_id, name, iban and bic as CSV, at most 1 MB; read for this form, and kept nowhere."
# The answer of these two is a file: their pages carry them out, and no form of an action does.
_REFUND_FILE = Action(
    *("refund-files", "write", "Write the file", "refunds export", DRAFT.permission),
    "The refunds of the month that still wait, as the bank reads them: as often as you ask for it.",
    DRAFT.carry,
    (
        FORMAT,
        FormField("payer_name", "Your name at the bank", help="ISO 20022 needs it."),
        FormField("payer_iban", "Your account at the bank (IBAN)", help="ISO 20022 needs it."),
        FormField("payer_bic", "Your bank's code (BIC)"),
        FormField(
            "version", "Version of pain.001", "select", words=[(one.value, one.value) for one in PainVersion],
            is_required=True, value=PainVersion.V09,
        ),
        FormField("execute_on", "Day of payment", "date", is_required=True),
    ),
)  # fmt: skip
_DEBIT_FILE = Action(
    *("debit-files", "write", "Write the file", "debits export", BATCH.permission),
    "The debits of the batch as pain.008: it says the same whenever it is written.",
    BATCH.carry,
)


@dataclass(frozen=True)
class _Form:
    """A form of a file: what it does, where it is sent, where it leads back to, and whether it takes bank details."""

    action: Action
    path: str
    back: str
    about: str = ""
    has_payees: bool = False


_DRAFT_FORM = _Form(DRAFT, "/bank-files/refunds", "/bank-files", has_payees=True)
_BATCH_FORM = _Form(BATCH, "/bank-files/debits", "/bank-files")


async def show_draft_form(visit: Visit) -> Response:
    """Show the form that drafts the refunds of a month."""
    return await _page(visit, _DRAFT_FORM, {"period": f"{datetime.now(UTC):%Y-%m}", "format": FORMAT.value})


async def show_batch_form(visit: Visit) -> Response:
    """Show the form that puts debits into a batch."""
    return await _page(visit, _BATCH_FORM, {})


async def draft_refunds(visit: Visit, form: FormData) -> Response:
    """Draft the refunds of a month, once by the form's key."""
    return await _carried(visit, _DRAFT_FORM, form, text_of(form, "period"))


async def make_debit_batch(visit: Visit, form: FormData) -> Response:
    """Put debits into a batch, once by the form's key."""
    return await _carried(visit, _BATCH_FORM, form, text_of(form, "provider"))


async def show_refund_file_form(visit: Visit) -> Response:
    """Show the form that writes the file of a month's refunds: who pays stands there as the seller's own account."""
    row = SellerRow
    seller = await visit.web.reading.read_first(
        select(row.name, row.iban, row.bic).where(row.merchant_id.is_(None), row.iban != "").limit(1)
    )
    payer = {"payer_name": seller.name, "payer_iban": seller.iban, "payer_bic": seller.bic} if seller else {}
    begun = {one.name: one.value for one in _REFUND_FILE.fields}
    return await _page(visit, _of_month(visit), begun | payer | {"execute_on": str(datetime.now(UTC).date())})


async def show_debit_file_form(visit: Visit) -> Response:
    """Show the form that writes the file of a batch."""
    return await _page(visit, _of_batch(visit), {})


async def write_refund_file(visit: Visit, form: FormData) -> Response:
    """Answer with the file of a month's refunds, if it is released or may be."""
    month, shown = visit.request.path_params["id"], _of_month(visit)
    given = _given(shown, form)

    async def exported(output: Output, file: Path) -> None:
        payer = (given["payer_name"], given["payer_iban"], given["payer_bic"])
        with stored_payees(await _payees(form)) as payees:
            options = Export(
                *(month_of_form(month), file, format_of_form(given["format"]), payees, payer),
                *(_day(given["execute_on"]), False, visit.user.id),
                _version(given["version"]),
            )
            await export_refunds(output, options)

    is_csv = given["format"] == FileFormat.CSV
    name = f"refunds-{month}.{'csv' if is_csv else 'xml'}"
    return await _file(visit, shown, given, text_of(form, "reason"), exported, name)


async def write_debit_file(visit: Visit, form: FormData) -> Response:
    """Answer with the file of a batch, if it is released or may be."""
    batch, reason = visit.request.path_params["id"], text_of(form, "reason")

    async def exported(output: Output, file: Path) -> None:
        await export_debits(output, "", file, batch, actor=visit.user.id, reason=reason)

    return await _file(visit, _of_batch(visit), {}, reason, exported, f"{batch}.xml")


async def _file(
    visit: Visit,
    shown: _Form,
    given: Mapping[str, str],
    reason: str,
    exported: Callable[[Output, Path], Awaitable[None]],
    name: str,
) -> Response:
    """Let the command write its file, and answer with it; what was refused is said on the form."""
    id, output = visit.request.path_params["id"], CapturedOutput()
    if problems := problems_of(shown.action, AskedAction(id, visit.user.id, reason, "", given)):
        return await _page(visit, shown, given, reason, [str(one) for one in problems])
    with TemporaryDirectory(prefix="duly-bank-") as folder:
        file = Path(folder) / "file"

        async def kept() -> None:
            async with keeping(KeptCommand(shown.action.command, id, visit.user.id, reason), output):
                await exported(output, file)

        try:
            with served():
                await translated(kept())
        except Failure as failure:
            return await _page(visit, shown, given, reason, [str(one) for one in failure.problems])
        if not file.exists():
            return await _page(visit, shown, given, reason, output.lines[-1:])
        content = file.read_bytes()
    kind = "text/csv; charset=utf-8" if name.endswith(".csv") else "application/xml"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind, headers=headers)


async def _carried(visit: Visit, shown: _Form, form: FormData, subject: str) -> Response:
    given, reason, key = _given(shown, form), text_of(form, "reason"), text_of(form, "key")
    require_key(key)
    asked = AskedAction(subject, visit.user.id, reason, key, given)
    problems: Sequence[object] = problems_of(shown.action, asked)
    if not problems:
        try:
            content = await _payees(form) if shown.has_payees else ""
        except RefusedError as refused:
            problems = refused.problems
        else:
            carried = replace(asked, fields={**given, "content": content})
            problems = await carried_once(visit, shown.action, carried)
    if problems:
        return await _page(visit, shown, given, reason, [str(one) for one in problems], key)
    return RedirectResponse(f"/sent/{key}", 303)


async def _page(
    visit: Visit,
    shown: _Form,
    given: Mapping[str, str],
    reason: str = "",
    problems: Sequence[str] = (),
    key: str = "",
) -> Response:
    choices = FormChoices(visit.web.reading)
    fields = shown.action.fields
    return visit.page(
        "bank/write.html",
        422 if problems else 200,
        title=shown.action.name,
        form=shown,
        fields=fields,
        given=given,
        choices={
            one.name: [*one.words, *(await choices.of(one.choices, "") if one.choices else ())]
            for one in fields
            if one.kind == "select"
        },
        payees=_PAYEES if shown.has_payees else "",
        reason=reason,
        problems=problems,
        key=key or secrets.token_hex(16),
    )


def _given(shown: _Form, form: FormData) -> dict[str, str]:
    return {one.name: text_of(form, one.name) for one in shown.action.fields}


async def _payees(form: FormData) -> str:
    """Return the bank details of a form as base64. Raises RefusedError (file_size)."""
    file = form.get("payees")
    content = await file.read() if isinstance(file, UploadFile) else b""
    if len(content) > PAYEES_BYTES_MAX:
        raise refusal("payees", "file_size", "has more than 1 MiB: write it by the command line")
    return base64.b64encode(content).decode()


def _of_month(visit: Visit) -> _Form:
    id = visit.request.path_params["id"]
    place = address("refund-files", id)
    return _Form(_REFUND_FILE, f"{place}/file", place, f"Refunds of {id}", has_payees=True)


def _of_batch(visit: Visit) -> _Form:
    id = visit.request.path_params["id"]
    place = address("debit-files", id)
    return _Form(_DEBIT_FILE, f"{place}/file", place, f"Batch {id}")


def _day(given: str) -> date:
    day = day_given("execute_on", given)
    if day is None:
        raise refusal("execute_on", "field_given", "must be given")
    return day


def _version(given: str) -> PainVersion:
    try:
        return PainVersion(given)
    except ValueError as error:
        raise refusal("version", "pain_version", f"must be one of {', '.join(PainVersion)}") from error
