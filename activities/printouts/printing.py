"""Printing: a posted transaction's document once, for good; a draft as it is now, marked as one."""

import hashlib
from dataclasses import dataclass, field
from datetime import date

from psycopg.types.json import Jsonb

from activities.database import Database
from activities.printouts.catalogue import PRINTED_LANGUAGES, catalogue_of
from activities.printouts.own.templates import written_for_seller
from activities.printouts.queries import DocumentQueries, facts_of
from activities.printouts.workshop import PrintJob
from models.printouts.facts import DocumentFacts, PrintFormat
from models.printouts.formats import SUFFIXES
from models.problem import refusal

# Once, once more of what somebody else has kept, and then to read it.
KEEPS_MOST = 3


@dataclass(frozen=True)
class PrintedFile:
    """A file that was printed; `id` is that of the kept file, 0 for what is not kept: drafts, statements, bills."""

    name: str
    format: PrintFormat
    language: str
    sha256: str
    content: bytes = field(repr=False)
    id: int = 0


class Printing:
    """Prints documents, and keeps what is posted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = DocumentQueries(database)

    async def document(self, word: str, format: PrintFormat, *, language: str = "") -> PrintedFile:
        """Print the document of a transaction, by its number or id; the same file whenever it is printed again.

        Raises RefusedError: there is no such document, no seller is set, or it cannot be an electronic invoice.
        """
        require_language(language)
        found = await self._queries.require(word)
        if found.posted_on is None:
            facts = await self._queries.facts(found.id)
            made = await written_for_seller(self._database, PrintJob(facts, format, language))
            return _file(facts, format, _language(facts, language), made.content)
        return await self._kept(found.id, format, language)

    async def _kept(self, transaction_id: str, format: PrintFormat, language: str) -> PrintedFile:
        for _ in range(KEEPS_MOST):
            stored = await self._queries.stored(transaction_id)
            facts = facts_of(stored)
            spoken = _language(facts, language)
            if kept := await self._queries.file(transaction_id, format, spoken):
                return _file(facts, format, spoken, kept.content, id=kept.id)
            # Nothing is kept before there is a file: what is missing for it may be made good.
            made = await written_for_seller(self._database, PrintJob(facts, format, language))
            await self._database.call(
                "keep_document_file",
                transaction_id=transaction_id,
                facts=Jsonb(stored),
                format=format,
                language=spoken,
                template_version=made.template_version,
                content=made.content,
            )
            # It is there now, or somebody has kept other facts meanwhile: then it is written of those.
        raise RuntimeError("what is kept of a document stays, so the second writing is of it")

    async def statement(
        self, account_id: str, since: date | None, until: date, format: PrintFormat, *, language: str = ""
    ) -> PrintedFile:
        """Print an account's statement as it is now; nothing is kept of it. Raises RefusedError as `document` does."""
        require_language(language)
        facts = await self._queries.statement(account_id, since, until)
        content = (await written_for_seller(self._database, PrintJob(facts, format, language))).content
        spoken = catalogue_of(facts.locale, language=language).language
        name = f"statement-{account_id}-{until}.{SUFFIXES[format]}"
        return PrintedFile(name, format, spoken, hashlib.sha256(content).hexdigest(), content)


def _language(facts: DocumentFacts, language: str) -> str:
    return catalogue_of(facts.locale, language=language).language


def _file(facts: DocumentFacts, format: PrintFormat, language: str, content: bytes, *, id: int = 0) -> PrintedFile:
    stem = facts.number or f"draft-{facts.transaction_id}"
    return PrintedFile(f"{stem}.{SUFFIXES[format]}", format, language, hashlib.sha256(content).hexdigest(), content, id)


def require_language(language: str) -> None:
    """Raise RefusedError (language_known) for a language in which nothing is printed; empty is the account's."""
    if language and language not in PRINTED_LANGUAGES:
        raise refusal("language", "language_known", f"{language!r} is none of {', '.join(PRINTED_LANGUAGES)}")
