"""Binds meetings to the bus."""

from chassis.rpc.methods import answer
from chassis.runtime.container import Bus
from services.meetings import commands, queries, schemas
from services.meetings.reactions import DUE, REACTIONS


class Meetings:
    """When communities meet, and who was there."""

    name = "meetings"
    bus = Bus(REACTIONS, DUE)

    put_meeting = answer(commands.put_meeting, schemas.Meeting())
    start_meeting = answer(commands.start_meeting, schemas.Meeting())
    wrap_up_meeting = answer(commands.wrap_up_meeting, schemas.Meeting())
    close_meeting = answer(commands.close_meeting, schemas.Meeting())
    cancel_meeting = answer(commands.cancel_meeting, schemas.Meeting())
    register_member = answer(commands.register_member, schemas.Registration())
    record_attendance = answer(commands.record_attendance, schemas.Meeting())
    get_meeting = answer(queries.get_meeting, schemas.MeetingWithAttendance())
    list_meetings = answer(queries.list_meetings, schemas.Meeting())
    list_registrations = answer(queries.list_registrations, schemas.Registration())
