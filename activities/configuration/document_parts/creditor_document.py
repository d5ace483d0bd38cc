"""The creditor's part of the document: who collects by bank debit, and by which days and hours the bank works."""

import re
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from activities.configuration.fields import SlugId
from activities.documents import DocumentPart
from models.bank.entry import remainder_97
from models.bank.payee import IbanError, bic_is_written_well, iban_of

# EPC262-08: country, check digits, the creditor's business code, which no check digit covers, and the national part.
_IDENTIFIER = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Za-z0-9+?/:().,'-]{1,28}")


class CreditorPart(DocumentPart):
    """Our side of the bank debits of a provider, whose id it has.

    `notice_days`: how many days of the calendar before a debit its payer is notified of amount and day, where the
    mandate agrees nothing else. `notice_by` says how: `invoice` is yours, `mail` a letter of ours for each debit. A
    debit whose letter did not go out in time is not filed; by `late_notice` it gets a later day and another letter
    (`move`), or waits for a person (`hold`). The bank takes a file
    until `cut_off` by the clock of `time_zone`, and collects `lead_days` working days later. What the bank takes back
    may be more than the debit by `charges_limit` euros. A debit that is not settled `answer_days` days of the calendar
    after its collection is told to operators.
    """

    id: SlugId
    name: Annotated[str, Field(min_length=1, max_length=70)]
    iban: Annotated[str, Field(max_length=50)]
    bic: Annotated[str, Field(max_length=11)] = ""
    creditor_identifier: Annotated[str, Field(max_length=50)]
    scheme: Literal["CORE", "B2B"] = "CORE"
    # Of pain.008.001.
    version: Literal["02", "08", "09", "10"] = "08"
    notice_days: Annotated[int, Field(ge=0, le=60)] = 14
    lead_days: Annotated[int, Field(ge=1, le=14)] = 1
    cut_off: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "12:00"
    time_zone: Annotated[str, Field(max_length=50)] = "Europe/Berlin"
    charges_limit: Annotated[str, Field(pattern=r"^[0-9]{1,7}([.][0-9]{1,2})?$")] = "50.00"
    answer_days: Annotated[int, Field(ge=1, le=60)] = 5
    notice_by: Literal["invoice", "mail"] = "invoice"
    late_notice: Literal["move", "hold"] = "move"

    @field_validator("iban")
    @classmethod
    def _iban_is_one(cls, given: str) -> str:
        try:
            return iban_of(given)
        except IbanError as error:
            raise ValueError(str(error)) from error

    @field_validator("bic")
    @classmethod
    def _bic_is_one(cls, given: str) -> str:
        if not bic_is_written_well(given):
            raise ValueError("is not written like a BIC")
        return given

    @field_validator("creditor_identifier")
    @classmethod
    def _identifier_is_one(cls, given: str) -> str:
        plain = given.replace(" ", "")
        # Without the business code, and without what is no letter or digit.
        counted = plain[:4] + re.sub("[^A-Z0-9]", "", plain[7:].upper())
        if not _IDENTIFIER.fullmatch(plain) or remainder_97(counted) != 1:
            raise ValueError("is no creditor identifier: its check digits are wrong, or a letter or digit is mistyped")
        return plain

    @field_validator("time_zone")
    @classmethod
    def _zone_is_known(cls, given: str) -> str:
        try:
            return ZoneInfo(given).key
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"there is no time zone {given!r}") from error

    @model_validator(mode="after")
    def _old_files_name_the_bank(self) -> Self:
        if self.version == "02" and not self.bic:
            raise ValueError("bic: pain.008.001.02 names the creditor's bank by it")
        return self
