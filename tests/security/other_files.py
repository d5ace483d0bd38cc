"""Files beside CSV, camt.053, pain.002 and pain.001 that a command reads: a good one of each kind, and its reader."""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from activities.bank.debits.debit_file import as_pain_008
from activities.bank.debits.missing_files import debits_in
from activities.bank.formats.zipped import files_in
from activities.configuration.document import DefinitionsDocument
from activities.documents import read_document
from activities.imports.exchange_rates import rates_in
from activities.reductions.merchants import MerchantsDocument
from activities.reports.schedule_document import ReportScheduleDocument
from commands.bank.refund_confirmation import read_all
from commands.bank.statement_files import read_entries
from commands.messages.returned import mails_in
from commands.payments.attachments import read_files
from commands.reports.showing import definition_by
from models.bank.debit import Creditor, WrittenDebit
from models.bank.exports.layout import StatementLayout
from models.messages.delivery_report import delivery_reports
from models.money import Money
from tests.bank.formats.exports import EXPORTS
from tests.bank.formats.test_rules_mt940 import a_line, statement
from tests.house.source import ROOT
from tests.imports.test_rules_exchange_rates import XML
from tests.messages.bounces.test_returned_mail import report

Read = Callable[[Path], Iterable[object]]

DAY = date(2026, 11, 30)
CREDITOR = Creditor("Company ZX", "NL91ABNA0417164300", "ABNANL2A", "DE98ZZZ09999999999", "CORE", "08")
DEBIT = WrittenDebit(
    id="DD-1", payment_information="P1", mandate="M1", amount=Money(500, "EUR"), sequence_type="RCUR", collect_on=DAY,
    signed_on=DAY, payer="Ada", iban="DE89370400440532013000", bic="", text="INV-0000000012", is_amended=False,
)  # fmt: skip
SWIFT = statement(a_line(), a_line("166?00GUT?20SVWZ+INV-00\n00000012?32Ann", reference="//B2"), closing="125,00")
RATES = "Date, USD, JPY, \n27 November 2026, 1.0573, 163.2, \n26 November 2026, 1.0551, N/A, \n"
REPORT = 'id = "x"\ntitle = "X"\nsource = "lines"\ngroup_by = ["month"]\nmeasures = ["net"]\n[filters]\nregion = "DE"\n'
SCHEDULE = (
    'id = "vat-of-the-month"\nreport = "vat"\nrecipients = ["tax@example.com"]\n[filters]\nregion = "DE"\n'
    '[schedule]\nday = 3\nhour = 6\ntime_zone = "Europe/Berlin"\n'
)


def zipped(**files: str) -> bytes:
    """Return a ZIP file."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return written.getvalue()


def each(read: Read) -> Read:
    """Read each file of a ZIP file."""

    def read_each(path: Path) -> Iterator[object]:
        with files_in(path) as files:
            for file in files:
                yield from read(file)

    return read_each


def documents(kind: Any) -> Read:
    return lambda path: [read_document(path, kind)]


def exported(bank: str) -> Read:
    """Return what reads a bank's own CSV, by its layout in the examples."""
    named = read_document(ROOT / "docs/examples/bank_layouts.toml", DefinitionsDocument).statement_layouts
    (layout,) = [StatementLayout.read(one.id, one.stored()) for one in named if one.id == bank]
    return lambda path: read_entries(path, [layout], by_layout=True)


BANK = min(EXPORTS)
MAILS = b"".join(
    b"From MAILER-DAEMON Mon Nov 30 10:00:00 2026\n" + report(status=of) + b"\n" for of in ("5.1.1", "4.2.2")
)

OTHERS: Mapping[str, tuple[bytes, Read]] = {
    "statement.sta": (SWIFT.encode(), read_entries),
    "statement.zip": (zipped(a=SWIFT, b=SWIFT.replace("//B", "//C")), each(read_entries)),
    "answers.zip": (zipped(a=SWIFT), read_all),
    "export.csv": (EXPORTS[BANK].text.encode(EXPORTS[BANK].encoding), exported(BANK)),
    "rates.xml": (XML.encode(), partial(rates_in, today=DAY)),
    "rates.csv": (RATES.encode(), partial(rates_in, today=DAY)),
    "rates.zip": (zipped(a=RATES), each(partial(rates_in, today=DAY))),
    "debits.xml": (
        as_pain_008("DDB-1", datetime(2026, 11, 28, tzinfo=UTC), CREDITOR, [DEBIT, replace(DEBIT, id="DD-2")]),
        debits_in,
    ),
    "merchants.toml": ((ROOT / "docs/merchants.example.toml").read_bytes(), documents(MerchantsDocument)),
    "report.toml": (REPORT.encode(), lambda path: [definition_by("", path)]),
    "schedule.toml": (SCHEDULE.encode(), lambda path: [read_document(path, ReportScheduleDocument).narrowed()]),
    "offer.pdf": (b"%PDF-1.7\n" + bytes(range(256)), lambda path: read_files([path])),
}
# What is not refused but left alone: whatever a mailbox has, reports of deliveries alone are taken.
MAILBOXES: Mapping[str, bytes] = {"mail.eml": report(), "mails.mbox": MAILS}


def reports_in(path: Path) -> list[object]:
    return [one for mail in mails_in(str(path)) for one in delivery_reports(mail)]
