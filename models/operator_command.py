"""What every command of an operator carries: who gives it, and why. Cards, collections, refunds and runs add to it."""

from dataclasses import dataclass

from models.problem import refuse_unless


class CommandError(ValueError):
    """An operator's command that makes no sense here; the message names the field or the stage, and the rule."""


@dataclass(frozen=True)
class OperatorCommand:
    """Who gives a command, and why: both are kept in the history."""

    actor: str
    reason: str

    def check(self) -> None:
        """Raise CommandError unless both are given."""
        refuse_unless(bool(self.actor.strip()), CommandError, "actor: say who asks")
        refuse_unless(bool(self.reason.strip()), CommandError, "reason: say why")
        refuse_unless(len(self.reason) <= 500, CommandError, "reason: at most 500 characters")


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
