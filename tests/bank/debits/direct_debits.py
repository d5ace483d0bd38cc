"""A company that collects by bank debit: its mandates, its files, and what the bank answers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.gateway.bank_debits.bank_debit_gateway import BankDebitGateway
from activities.gateway.clocks import Clocks
from activities.gateway.pace import GatewayPace
from models.gateway.gateway_request import CollectRequest, CollectResult
from tests.bank.statements import camt, detail, entry
from tests.support.builders import PERIOD, Merchant, configure
from tests.support.command_line import CommandLine

IBAN, OTHER_IBAN = "DE89370400440532013000", "FR7630006000011234567890189"
BY = ("--actor", "maria", "--reason", "as agreed")
DOCUMENT = """
[[payment_methods]]
id = "direct_debit"
name = "Direct debit"

[[providers]]
id = "sepa"
gateway = "sepa_debit"
mode = "test"
currencies = ["EUR"]
payment_methods = ["direct_debit"]

[[creditors]]
id = "sepa"
name = "Company ZX"
iban = "NL91ABNA0417164300"
bic = "ABNANL2A"
creditor_identifier = "DE98ZZZ09999999999"
notice_days = 0
"""


@dataclass(frozen=True)
class DirectDebits:
    """Accounts with a mandate each, and the activities that collect by it."""

    merchant: Merchant
    cli: CommandLine
    database: Database
    folder: Path

    async def set_up(self) -> None:
        """Configure provider and creditor, and a run of their payments."""
        await configure(self.merchant.engine, DOCUMENT)
        await self.merchant.run(
            "insert into duly.run_definitions (id, kind, name, provider_id, shards)"
            " values ('debits', 'payment', 'Debits', 'sepa', 1)"
        )

    async def payer(self, account: str, owes_minor: int = 2500, *, signed_on: str = "2026-01-15") -> str:
        """Open an account that owes an invoice and has a mandate, M-<account>."""
        await self.merchant.account(account, cards=(), owes_minor=owes_minor)
        signed = ("--signed-on", signed_on) if signed_on else ()
        of = ("--iban", IBAN, "--payer", "Zoë Ångström & Co", "--provider", "sepa")
        await self.cli.json("mandates", "create", account, f"M-{account}", *of, *signed, *BY)
        return account

    @property
    def collecting(self) -> CollectActivities:
        """The activities of the provider's worker."""
        gateway = BankDebitGateway(self.database, "sepa")
        return CollectActivities(self.database, gateway, Clocks(self.database, gateway), GatewayPace(1000))

    async def collect(self, account: str, attempt: int = 1, *, period: str = PERIOD) -> CollectResult:
        """Make an attempt, or ask what became of it."""
        return await self.collecting.collect(CollectRequest(account, period, "sepa", attempt=attempt))

    async def export(self, name: str = "debits.xml", *words: str) -> dict[str, Any]:
        """Write the file of what is due."""
        result: dict[str, Any] = await self.cli.json("debits", "export", "sepa", str(self.folder / name), *words, *BY)
        return result

    async def state(self, debit: str) -> str:
        """Return where a debit stands."""
        return str(await self.merchant.value("select state from duly.debits where id = :id", id=debit))

    async def mandate(self, account: str) -> dict[str, Any]:
        """Return an account's mandate as the command line shows it."""
        shown: dict[str, Any] = await self.cli.json("mandates", "show", f"M-{account}")
        return shown

    async def statement(self, *entries: str, name: str = "statement.xml") -> dict[str, Any]:
        """Import a statement of these entries."""
        imported: dict[str, Any] = await self.cli.json("import", "bank", camt(self.folder, *entries, name=name))
        return imported

    async def ledger(self, account: str) -> int:
        """Return the balance of a ledger account, debits above zero."""
        return int(
            await self.merchant.value(
                "select coalesce(sum(case when debit_account = :name then amount_minor else 0 end)"
                " - sum(case when credit_account = :name then amount_minor else 0 end), 0)"
                " from duly.transfers where :name in (debit_account, credit_account)",
                name=account,
            )
        )


def credited(debit: str, amount: str, reference: str = "B1") -> str:
    """Return the entry that brings one debit."""
    return entry(reference, amount, end_to_end=debit)


def credited_batch(batch: str, amount: str, reference: str = "B1") -> str:
    """Return the entry that brings a whole payment information, without saying of which payments it is."""
    return entry(reference, amount, details=f"<Btch><PmtInfId>{batch}</PmtInfId></Btch>")


def returned(debit: str, amount: str, code: str, reference: str = "R1") -> str:
    """Return the entry that takes a debit back."""
    why = f"<RtrInf><Rsn><Cd>{code}</Cd></Rsn></RtrInf>"
    return entry(reference, amount, side="DBIT", details=f"<TxDtls>{detail(end_to_end=debit)}{why}</TxDtls>")


def written(file: Path) -> list[dict[str, str]]:
    """Return the debits of a pain.008, as a bank reads them."""
    return [
        {
            "information": information.findtext("{*}PmtInfId") or "",
            "type": information.findtext("{*}PmtTpInf/{*}SeqTp") or "",
            "day": information.findtext("{*}ReqdColltnDt") or "",
            "id": debit.findtext("{*}PmtId/{*}EndToEndId") or "",
            "amount": debit.findtext("{*}InstdAmt") or "",
            "mandate": debit.findtext("{*}DrctDbtTx/{*}MndtRltdInf/{*}MndtId") or "",
            "amended": debit.findtext("{*}DrctDbtTx/{*}MndtRltdInf/{*}AmdmntInd") or "",
            "payer": debit.findtext("{*}Dbtr/{*}Nm") or "",
            "iban": debit.findtext("{*}DbtrAcct/{*}Id/{*}IBAN") or "",
        }
        for information in etree.parse(file).getroot().iter("{*}PmtInf")
        for debit in information.iter("{*}DrctDbtTxInf")
    ]
