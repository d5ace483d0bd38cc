"""Printing bills: as they were made, with what is unsettled today; nothing is kept of the file (decision 0191)."""

import hashlib

from pydantic import TypeAdapter

from activities.books.bills import Bills
from activities.database import Database
from activities.printouts.catalogue import catalogue_of
from activities.printouts.own.templates import written_for_seller
from activities.printouts.printing import PrintedFile, require_language
from activities.printouts.queries import NO_SELLER
from activities.printouts.workshop import PrintJob
from models.printouts.bill import BillFacts
from models.printouts.facts import PrintFormat
from models.printouts.formats import SUFFIXES
from models.problem import refusal

_FACTS = TypeAdapter(BillFacts)


class BillPrinting:
    """Prints bills."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def facts(self, bill: str) -> BillFacts:
        """Return what a bill says, by its number or id. Raises RefusedError: there is no such bill, or no seller."""
        found = await Bills(self._database).require(bill)
        facts = await self._database.call("bill_facts", bill_id=found.id)
        if facts["seller"] is None:
            raise refusal("seller", "seller_set", NO_SELLER)
        return _FACTS.validate_python(facts)

    async def bill(self, bill: str, format: PrintFormat, *, language: str = "") -> PrintedFile:
        """Print a bill. Raises RefusedError as `facts` does, and for the format of an electronic invoice."""
        require_language(language)
        facts = await self.facts(bill)
        content = (await written_for_seller(self._database, PrintJob(facts, format, language))).content
        spoken = catalogue_of(facts.locale, language=language).language
        name = f"{facts.number}.{SUFFIXES[format]}"
        return PrintedFile(name, format, spoken, hashlib.sha256(content).hexdigest(), content)
