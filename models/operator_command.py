"""What every command of an operator carries: who gives it, and why. Cards, collections, refunds and runs add to it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from models.card_number import REFUSED, holds_card_number
from models.printable import NOT_PRINTABLE, is_printable
from models.problem import refuse_unless


class CommandError(ValueError):
    """An operator's command that makes no sense here; the message names the field or the stage, and the rule."""


# A name, a sentence or two, and what a bank's statement says of a payment: histories and notes keep them for years. The
# rest of a command's texts is ids: whatever a gateway or we call something.
TEXT_MAX: Mapping[str, int] = MappingProxyType({"actor": 100, "reason": 500, "reference": 1000})
REFERENCE_MAX = 255


@dataclass(frozen=True)
class OperatorCommand:
    """Who gives a command, and why: both are kept in the history."""

    actor: str
    reason: str

    def check(self) -> None:
        """Raise CommandError unless both are given, and every text is short, can be seen, and holds no card number."""
        refuse_unless(bool(self.actor.strip()), CommandError, "actor: say who asks")
        refuse_unless(bool(self.reason.strip()), CommandError, "reason: say why")
        for field in fields(self):
            most, value = TEXT_MAX.get(field.name, REFERENCE_MAX), getattr(self, field.name)
            if isinstance(value, str):
                refuse_unless(len(value) <= most, CommandError, f"{field.name}: at most {most} characters")
                refuse_unless(not holds_card_number(value), CommandError, f"{field.name}: {REFUSED}")
                refuse_unless(is_printable(value), CommandError, f"{field.name}: {NOT_PRINTABLE}")


@dataclass(frozen=True)
class UnknownResolution(OperatorCommand):
    """What a person found out: the gateway's id of the payment, or the decision that nothing was charged."""

    gateway_reference: str = ""
    was_not_charged: bool = False

    def check(self) -> None:
        """Raise CommandError unless it is one of the two."""
        super().check()
        refuse_unless(
            bool(self.gateway_reference) != self.was_not_charged,
            CommandError,
            "gateway_reference: give the gateway's id, or say was_not_charged; not both, not neither",
        )
