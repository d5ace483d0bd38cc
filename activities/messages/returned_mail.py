"""Mail that came back after a mail server had taken it: the message is failed, a missing address is left alone."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from activities.database import Database
from models.messages.delivery_report import DeliveryReport, delivery_reports


class ReturnOutcome(StrEnum):
    """What became of a report."""

    STOPPED = "stopped"  # failed, and nothing goes to the address any more
    FAILED = (
        "failed"  # failed, for a reason that says nothing about the address, or to an address that is changed by now
    )
    KNOWN = "known"  # the message had failed before
    UNKNOWN = "unknown"  # no message of this installation, or of an older release
    NOT_FINAL = "not_final"  # delayed, or delivered
    NO_REPORT = "no_report"  # another mail, or a report without our Message-ID


@dataclass(frozen=True)
class ReturnedMail:
    """One report and what became of it; `message_id` is "" where it is about none of ours."""

    outcome: ReturnOutcome
    message_id: str = ""
    status: str = ""


class ReturnedMails:
    """Takes mail from the mailbox of the sender."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, mail: bytes) -> Sequence[ReturnedMail]:
        """Note what a mail reports, once whoever shows it again; one result for each recipient, or for no report."""
        reports = list(delivery_reports(mail))
        if not reports:
            return [ReturnedMail(ReturnOutcome.NO_REPORT)]
        return [await self._noted(report) for report in reports]

    async def _noted(self, report: DeliveryReport) -> ReturnedMail:
        if not report.is_failed:
            return ReturnedMail(ReturnOutcome.NOT_FINAL, status=report.status)
        noted = await self._database.call(
            "note_returned_mail",
            mail_id=report.mail_id,
            status=report.status,
            address_hashes=sorted(map(_address_hash, report.addresses)),
            is_no_address=report.is_no_address,
        )
        return ReturnedMail(ReturnOutcome(noted["outcome"]), noted["message_id"], report.status)


def _address_hash(address: str) -> str:
    """Return what is kept of an address, as `duly.address_hash` has it."""
    return hashlib.sha256(address.strip(" ").lower().encode()).hexdigest()
