"""What goes with a message: a receipt's invoices, a reminder's invoice, a bill, the file of a report by a calendar."""

from collections.abc import Sequence

from activities.database import Database
from activities.messages.attachments import Attachment, AttachmentError
from activities.printouts.bills.printing import BillPrinting
from activities.printouts.printing import PrintedFile, Printing
from activities.reports.delivering import read_mailed_report
from models.printouts.facts import PrintFormat
from models.printouts.formats import MEDIA_TYPES
from models.problem import RefusedError


class DocumentAttachments:
    """Prints what goes with messages, where a seller wants it: as an e-invoice where it can be one, else as pages."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._printing = Printing(database)

    async def of(self, message_id: str) -> Sequence[Attachment]:
        """Return the documents of a message; printing them again gives the same files. Raises AttachmentError."""
        if (report := await read_mailed_report(self._database, message_id)) is not None:
            return [Attachment(report.file_name, report.media_type, report.content)]
        transactions = await self._database.call("documents_of_message", message_id=message_id)
        bill = await self._database.call("bill_of_message", message_id=message_id)
        try:
            if bill:
                file = await BillPrinting(self._database).bill(bill, PrintFormat.PDF)
                return [Attachment(file.name, MEDIA_TYPES[file.format], file.content)]
            printed = [await self._printed(transaction_id) for transaction_id in transactions or ()]
        except (RefusedError, RuntimeError, OSError, TypeError) as error:
            raise AttachmentError(type(error).__name__) from error
        return [Attachment(file.name, MEDIA_TYPES[file.format], file.content) for file in printed]

    async def _printed(self, transaction_id: str) -> PrintedFile:
        try:
            return await self._printing.document(transaction_id, PrintFormat.FACTUR_X)
        except RefusedError:
            # Why it is none, `documents show` says; a line in the log for each of a month's receipts nobody would read.
            return await self._printing.document(transaction_id, PrintFormat.PDF)
