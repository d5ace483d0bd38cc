"""Every time-out and retry policy, each with its reason."""

from datetime import timedelta
from typing import NotRequired, TypedDict

from temporalio.common import Priority, RetryPolicy


class Timing(TypedDict):
    """How long one try of an activity may take, how soon its silence is noticed, and how it is tried again."""

    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy
    heartbeat_timeout: NotRequired[timedelta]


# People come first, then receivables that wait, then the month's run: they share the provider's rate.
PEOPLE = Priority(priority_key=1)
DUNNING = Priority(priority_key=3)
MONTHLY = Priority(priority_key=4)

# One read or one commit. The activity itself gives up after DULY_DATABASE_TIMEOUT_SECONDS and closes the connection,
# so this time-out only catches a worker that died. A database that is away is waited for: nothing is lost by waiting.
DATABASE = Timing(
    start_to_close_timeout=timedelta(seconds=60),
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30)),
)

# One read within the workflow's own task, which costs the server no task of a queue: a third of what it costs to start
# what reads and sleeps. It is tried once, for a task ends after ten seconds; what fails is read by an activity.
IN_THE_WORKER = Timing(start_to_close_timeout=timedelta(seconds=5), retry_policy=RetryPolicy(maximum_attempts=1))

# What a person waits for, and may be missing: a database that is away is asked a few times, and not until it is back.
DATABASE_BRIEFLY = Timing(
    start_to_close_timeout=timedelta(seconds=60),
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=4),
)

# A worker that was killed is missed after so long by whatever takes minutes: its worker's loop beats meanwhile, however
# long a statement takes.
SWEEP_HEARTBEAT_TIMEOUT = timedelta(minutes=1)

# Freezing a membership and certifying it read every account once: minutes at a million, and safe to begin again.
DATABASE_SWEEP = Timing(
    start_to_close_timeout=timedelta(minutes=30),
    heartbeat_timeout=SWEEP_HEARTBEAT_TIMEOUT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
)

# Writing a report: a million transactions take seconds, and what takes ten minutes is given up by the activity itself.
# A long PDF can keep the worker's loop from beating for a while.
REPORT = Timing(
    start_to_close_timeout=timedelta(minutes=30),
    heartbeat_timeout=3 * SWEEP_HEARTBEAT_TIMEOUT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
)

# Checking every rule of the ledger against all of it: minutes at a million accounts, and a night at ten million.
AUDIT = Timing(
    start_to_close_timeout=timedelta(hours=12),
    heartbeat_timeout=SWEEP_HEARTBEAT_TIMEOUT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
)

# Looking through a run's members for alerts, page by page.
ALERTS = Timing(
    start_to_close_timeout=timedelta(minutes=30),
    heartbeat_timeout=SWEEP_HEARTBEAT_TIMEOUT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
)

# Reading a gateway's list of events: a hundred at a time, part by part, so that a retry goes on from there.
EVENT_LIST = Timing(
    start_to_close_timeout=timedelta(minutes=30),
    heartbeat_timeout=SWEEP_HEARTBEAT_TIMEOUT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
)

# Reading a gateway's books: a thousand pages for a busy day, stored part by part, so that a retry goes on from there.
GATEWAY_BOOKS = Timing(
    start_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=timedelta(minutes=2),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5)),
)

# Comparing what is open with the workflows there are: page by page, and a retry goes on from the page that it reported.
SUPERVISION = Timing(
    start_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=SWEEP_HEARTBEAT_TIMEOUT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
)

# A worker that was killed is missed after this long, and its calls are repeated under the same keys by another one. The
# worker's loop beats three times as often from a third of it on, so a call that is answered at once costs no heartbeat.
HEARTBEAT_TIMEOUT = timedelta(seconds=15)

# One attempt at the gateway. It outlives the gateway client's own time-out and both commits. Six tries with the same
# key ride out a hiccup; what has no answer then is handed to a collection, so that one payment never holds a run.
COLLECT = Timing(
    start_to_close_timeout=timedelta(seconds=120),
    heartbeat_timeout=HEARTBEAT_TIMEOUT,
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), backoff_coefficient=3.0, maximum_attempts=6),
)

# A collection checks for evidence again on its policy's clock, which its timer shows; one look is not repeated long.
COLLECT_WAITING = Timing(
    start_to_close_timeout=timedelta(seconds=120),
    heartbeat_timeout=HEARTBEAT_TIMEOUT,
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), backoff_coefficient=3.0, maximum_attempts=3),
)

# What must be known or done at the gateway sooner or later: an outage is waited for, for nobody else would ask again.
UNTIL_DONE = Timing(
    start_to_close_timeout=timedelta(seconds=120),
    heartbeat_timeout=HEARTBEAT_TIMEOUT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=10)),
)

# A look whether the gateway is back: one payment, twice at most, for the breaker has its own pauses.
PROBE = Timing(
    start_to_close_timeout=timedelta(seconds=120),
    heartbeat_timeout=HEARTBEAT_TIMEOUT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=2),
)

# An operator waits for the answer: a server that cannot be asked in a few tries is reported to them.
SERVER = Timing(
    start_to_close_timeout=timedelta(seconds=10),
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=4),
)


class MailTiming(Timing):
    """A timing with an end over all tries."""

    schedule_to_close_timeout: timedelta


# A mail server that is away delays mail and nothing else. After three days it is of no use any more: what is left stays
# in the outbox, where a person finds it. A page of messages reports after each of them.
MAIL = MailTiming(
    start_to_close_timeout=timedelta(minutes=30),
    schedule_to_close_timeout=timedelta(days=3),
    heartbeat_timeout=timedelta(minutes=3),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=10)),
)

# A provider that is not effective is looked at again after so long: an operator has stopped it, and starts it again.
PROVIDER_PAUSE = timedelta(hours=1)

# A collection that is over waits so long for its last message, then leaves it to the next mailing.
LAST_MESSAGE = timedelta(minutes=10)
