"""Ids with Stripe's prefixes."""

import random


class Ids:
    """Makes ids that no other sandbox makes: a database may outlive the sandbox that it was filled from."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def new(self, prefix: str) -> str:
        return f"{prefix}_1{self._random.getrandbits(92):023x}"

    def secret_of(self, id: str) -> str:
        """The client secret of an intent: its id and something unguessable."""
        return f"{id}_secret_{self._random.getrandbits(100):025x}"
