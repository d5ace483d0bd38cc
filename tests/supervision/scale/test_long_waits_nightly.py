"""Six thousand signals to everybody who can be signalled, on a server with its own measures."""

import pytest

from tests.supervision.scale.signalled import SIGNALLED, signal_without_end
from tests.supervision.scenario import Company

SIGNALS, AT_ONCE = 6_000, 30
# A worker that is new to a workflow reads its whole history: no execution may have more events.
EVENTS_MAX = 10_000


@pytest.mark.nightly
@pytest.mark.parametrize("workflow", SIGNALLED)
async def test_six_thousand_signals_leave_no_history_of_more_than_ten_thousand_events(
    company: Company, workflow: str
) -> None:
    lengths = await signal_without_end(company, workflow, SIGNALS, at_once=AT_ONCE)

    assert len(lengths) > 1
    assert max(lengths) <= EVENTS_MAX
