"""A seller's own templates: what they write documents with, and the version that is kept with each file."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import select

from activities.database import Database
from activities.printouts.workshop import TEMPLATE_VERSION, OwnTemplateError, PrintJob, written
from models.printouts.facts import PrintFormat
from models.tables.configuration import SellerRow

log = structlog.get_logger(__name__)

# By the format of a file which template writes it; all others are of programs, or follow from these.
_WRITTEN_BY = {
    PrintFormat.PDF: "pdf",
    PrintFormat.FACTUR_X: "pdf",
    PrintFormat.HTML: "html",
    PrintFormat.RTF: "rtf",
}


@dataclass(frozen=True)
class WrittenFile:
    """A file, and what it was written by: our version, and behind a plus sign that of the seller's own template."""

    content: bytes
    template_version: str


async def written_for_seller(database: Database, job: PrintJob) -> WrittenFile:
    """Write a file by its seller's own template, and by ours where there is none or it fails. Raises RefusedError."""
    if text := await _template(database, job):
        try:
            return WrittenFile(await written(replace(job, template=text)), f"{TEMPLATE_VERSION}+{_version(text)}")
        except OwnTemplateError as error:
            # A document is owed all the same, and a person sees that it is not as it was meant.
            log.warning("own_template_failed", seller=job.facts.seller.id, kind=job.facts.kind, reason=str(error))
    return WrittenFile(await written(job), TEMPLATE_VERSION)


async def _template(database: Database, job: PrintJob) -> str:
    if job.format not in _WRITTEN_BY:
        return ""
    row = await database.read_first(select(SellerRow.templates).where(SellerRow.id == job.facts.seller.id))
    templates: Mapping[str, str] = row.templates if row is not None else {}
    return templates.get(_WRITTEN_BY[job.format], "")


def _version(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
