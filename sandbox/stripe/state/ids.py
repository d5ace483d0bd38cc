"""Ids with Stripe's prefixes."""

import base64
import secrets

# The platform, as Stripe names it to its connected accounts.
APPLICATION = "ca_sandbox"


class Ids:
    """Makes ids that no other sandbox makes: a database may outlive the sandbox that it was filled from.

    Letters of both cases, as Stripe's: then hardly any id has so many digits in a row that it looks like a card number,
    which imports refuse.
    """

    def new(self, prefix: str) -> str:
        return f"{prefix}_1{self._letters(23)}"

    def secret_of(self, id: str) -> str:
        """The client secret of an intent: its id and something unguessable."""
        return f"{id}_secret_{self._letters(25)}"

    def _letters(self, length: int) -> str:
        # Six bits a letter; the two that are neither letter nor digit become letters.
        return base64.b64encode(secrets.token_bytes(length), b"Aa")[:length].decode()
