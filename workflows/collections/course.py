"""How far a collection has come under its policy: what the execution after a fault goes on with beside the rows."""

from models.collections.collection import CollectionCourse, CollectionSnapshot, WaitingFor
from models.waiting import Wake


def course_of(
    snapshot: CollectionSnapshot, *, decided: int, pending: tuple[Wake, ...], before_page: tuple[Wake, ...]
) -> CollectionCourse:
    """Return what a collection carries past a fault."""
    return CollectionCourse(
        pending,
        attempt=snapshot.attempt,
        decided=decided,
        soft_declines=snapshot.soft_declines,
        technical_declines=snapshot.technical_declines,
        tried_cards=snapshot.tried_cards,
        deferred=snapshot.deferred,
        declined=snapshot.declined,
        planned_at=snapshot.planned_at,
        customer_deadline=snapshot.customer_deadline,
        waiting_for=snapshot.waiting_for,
        unknown_since=snapshot.unknown_since,
        checks=snapshot.checks,
        before_page=before_page,
    )


def take_course(snapshot: CollectionSnapshot, course: CollectionCourse) -> None:
    """Go on under the policy where the execution before a fault had come; what an attempt came to, its row says."""
    snapshot.soft_declines, snapshot.technical_declines = course.soft_declines, course.technical_declines
    snapshot.declined, snapshot.planned_at = course.declined, course.planned_at
    snapshot.customer_deadline, snapshot.waiting_for = course.customer_deadline, course.waiting_for
    if course.attempt == snapshot.attempt:
        snapshot.tried_cards, snapshot.deferred = course.tried_cards, course.deferred
        snapshot.unknown_since, snapshot.checks = course.unknown_since, course.checks


def decided_before(snapshot: CollectionSnapshot) -> int:
    """Return the last attempt about which the policy has decided before a continue-as-new."""
    is_waiting = snapshot.waiting_for is not WaitingFor.NOTHING
    return snapshot.attempt if is_waiting else snapshot.attempt - 1
