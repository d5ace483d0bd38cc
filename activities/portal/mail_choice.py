"""Whether a customer gets mail that neither law nor contract requires: read and chosen by the link of a letter."""

from dataclasses import dataclass

from activities.database import Database
from activities.request_tokens import hash_of


@dataclass(frozen=True)
class MailChoice:
    """What was chosen. Back in is only for whoever reads the account's address of today."""

    is_out: bool
    may_return: bool
    locale: str


class MailChoices:
    """The choices of customers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_link(self, token: str) -> MailChoice | None:
        """Return what the reader of a link has chosen, or None for a link that there is not."""
        found = await self._database.call("choice_of_link", token_hash=hash_of(token))
        return MailChoice(**found) if found else None

    async def choose(self, token: str, *, is_out: bool, how: str) -> MailChoice | None:
        """Opt out by a link, or back in where that may be; return what is chosen now, or None: there is no such link.

        Kept with when, by which letter and how; a repeat changes nothing.
        """
        found = await self._database.call("choose_by_link", token_hash=hash_of(token), is_out=is_out, how=how)
        return MailChoice(**found) if found else None
