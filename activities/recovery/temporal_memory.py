"""Temporal remembers how far the database has counted: in the note of a schedule that never starts anything."""

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from models.recovery.beat import Beat, parse_beat, write_beat
from models.workflow_ids import WORKFLOW_QUEUE, witness_schedule


class TemporalMemory:
    """Keeps the beat in the server's own database, which is restored apart from ours."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def recall_beat(self, installation: str) -> Beat | None:
        """Read the schedule's note; None when there is no schedule."""
        try:
            described = await self._client.get_schedule_handle(witness_schedule(installation)).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        return parse_beat(described.schedule.state.note or "")

    async def remember_beat(self, beat: Beat) -> None:
        """Write the schedule's note; the schedule is made when there is none, paused and without times."""
        id = witness_schedule(beat.installation)
        action = ScheduleActionStartWorkflow("Witness", id=id, task_queue=WORKFLOW_QUEUE)
        state = ScheduleState(note=write_beat(beat), paused=True)
        try:
            await self._client.create_schedule(id, Schedule(action=action, spec=ScheduleSpec(), state=state))
        except ScheduleAlreadyRunningError:

            def noted(found: ScheduleUpdateInput) -> ScheduleUpdate | None:
                schedule = found.description.schedule
                known = parse_beat(schedule.state.note or "")
                if known is not None and (known.epoch, known.number) >= (beat.epoch, beat.number):
                    # Another process has counted further meanwhile.
                    return None
                schedule.state.note = write_beat(beat)
                return ScheduleUpdate(schedule)

            await self._client.get_schedule_handle(id).update(noted)
