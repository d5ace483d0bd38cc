"""Open business objects and the workflows that must look after them: what is compared, and what was found."""

from dataclasses import dataclass, field
from enum import StrEnum

from models.operator_command import CommandError, OperatorCommand
from models.problem import refuse_unless


class ObjectKind(StrEnum):
    """What is open in the database and must have a workflow, in the order in which it is looked at."""

    COLLECTION = "collection"
    HAND_OVER = "hand_over"  # a first attempt was made, and no collection was started
    PAYMENT_REQUEST = "payment_request"
    WAITING_MEMBER = "waiting_member"  # no attempt could be made, and no collection was started
    REFUND = "refund"
    REDUCTION = "reduction"
    DISPUTE = "dispute"
    RUN = "run"
    SHARD = "shard"  # of a run that has a workflow: that begins a lost shard again, unless it never heard of its end
    REFUND_RUN = "refund_run"
    EVENT = "event"  # one stands for all that wait for a provider, overdue
    MERCHANT_CONNECTION = "merchant_connection"
    MESSAGE = "message"
    CARD = "card"
    BANK_REFUNDS = "bank_refunds"  # a month that waits for its release


class NextStep(StrEnum):
    """What becomes of an open object without a workflow."""

    RESUME = "resume"
    WAIT = "wait"  # a person has just ended it: an hour passes first
    ASK = "ask"  # stopped for the fourth time in a day, a run that a person has ended, a shard its run does not miss


# What a person has pressed: `canceled` is the end of a workflow that does not answer a Cancel itself.
BY_A_PERSON = frozenset({"terminated", "canceled"})

# How the reason begins with which `recover declare` ends what began before a restore: it is how it was stopped, and by
# nobody who wanted it to end.
RESTORED = "restored"

# So many stopped are shown; the count is of all.
SHOWN_MAX = 100


@dataclass(frozen=True)
class OpenObject:
    """An open object by its natural key; with its provider, its run and its account where it has them."""

    kind: ObjectKind
    key: tuple[str, ...]
    provider: str = ""
    run_id: str = ""
    account_id: str = ""


@dataclass(frozen=True)
class SupervisionRequest:
    """Compare what is open with the workflows there are, and resume what has none.

    A dry run only says what it would do. `only` names one workflow, which is resumed at once: `actor` and `reason` say
    in whose name.
    """

    is_dry_run: bool = False
    only: str = ""
    actor: str = ""
    reason: str = ""

    def check(self) -> None:
        """Raise CommandError unless whoever names a workflow says who asks and why."""
        if self.only:
            OperatorCommand(self.actor, self.reason).check()
            refuse_unless(not self.is_dry_run, CommandError, "only: a dry run resumes nothing")


@dataclass(frozen=True)
class KindRequest:
    """The part of a supervision that looks at one kind of object."""

    kind: ObjectKind
    supervision: SupervisionRequest


@dataclass(frozen=True)
class StoppedWorkflow:
    """An open object without a workflow: how that ended, by whom and why, and what becomes of it."""

    workflow_id: str
    next_step: NextStep
    how: str
    actor: str = ""
    reason: str = ""

    @property
    def command(self) -> str:
        """The one command that resumes it now."""
        return f'duly supervise --only {self.workflow_id} --actor maria --reason "as agreed"'


@dataclass(frozen=True)
class Supervised:
    """What was found of one kind: how many are open, have a workflow, were resumed, wait, and ask a person."""

    kind: ObjectKind
    open: int = 0
    running: int = 0
    resumed: int = 0
    waiting: int = 0
    in_review: int = 0
    stopped: tuple[StoppedWorkflow, ...] = ()


@dataclass(frozen=True)
class SupervisionReport:
    """What a supervision found, kind by kind."""

    kinds: tuple[Supervised, ...] = field(default=())

    @property
    def in_review(self) -> int:
        """How many objects ask a person."""
        return sum(one.in_review for one in self.kinds)

    @property
    def stopped(self) -> tuple[StoppedWorkflow, ...]:
        """Everything without a workflow, what asks a person first."""
        found = [ended for one in self.kinds for ended in one.stopped]
        return tuple(sorted(found, key=lambda one: (one.next_step is not NextStep.ASK, one.workflow_id)))
