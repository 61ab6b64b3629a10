"""From a community to its survey's results, by a client that was generated from the description: URL and token.

Runs in a process of its own, with the generated package ``pratique_client`` on its path.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from pratique_client import AuthenticatedClient, Client, models
from pratique_client.api.evaluation import get_results, get_survey, open_ballot, send_answers, show_room
from pratique_client.api.meetings import (
    close_meeting,
    get_meeting,
    put_meeting,
    record_attendance,
    start_meeting,
    wrap_up_meeting,
)
from pratique_client.api.membership import put_community, put_member, put_membership

ZONE = "America/Toronto"


def made(ask: Callable[..., Any], **arguments: Any) -> Any:
    """What the request comes to. Events take a moment from one service to the next; until then it is sent again."""
    end = time.monotonic() + 120
    while True:
        response = ask(**arguments)
        if response.status_code < 300:
            return response.parsed
        if time.monotonic() > end:
            raise SystemExit(f"{ask.__module__}: {response.status_code} {response.content!r}")
        time.sleep(0.05)


def main(url: str, token: str) -> None:
    """Do it all, and print what came out."""
    client = AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True)
    anyone = Client(base_url=url, raise_on_unexpected_status=True)
    community, meeting, members = uuid4(), uuid4(), [uuid4() for _ in range(6)]
    fr, individuals = models.CommunityBodyLocale.FR, models.CommunityBodyKind.INDIVIDUALS
    founded = models.CommunityBody("Cercle", "Apprendre.", individuals, fr, ZONE)
    version = made(put_community.sync_detailed, community_id=community, client=client, body=founded).version
    for number, member in enumerate(members):
        card = models.MemberBody(f"Personne {number}", f"py{member}@example.org", models.MemberBodyLocale.FR, ZONE)
        made(put_member.sync_detailed, member_id=member, client=client, body=card)
        alone = models.MembershipBody(models.MembershipBodyCapacity.INDIVIDUAL)
        made(put_membership.sync_detailed, community_id=community, member_id=member, client=client, body=alone)
    starts_at = datetime.now(UTC) - timedelta(minutes=30)
    planned = models.MeetingBody(
        community_ids=[community],
        kind=models.MeetingBodyKind.MEETING,
        mode=models.MeetingBodyMode.ONLINE,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        timezone=ZONE,
    )
    here = {"meeting_id": meeting, "client": client}
    made(put_meeting.sync_detailed, **here, body=planned)
    made(start_meeting.sync_detailed, **here)
    entries = [models.AttendanceEntry(member, models.AttendanceEntryState.ATTENDED) for member in members]
    made(record_attendance.sync_detailed, **here, body=models.AttendanceBody(entries))
    made(wrap_up_meeting.sync_detailed, **here)
    survey = made(get_survey.sync_detailed, **here)
    room = made(show_room.sync_detailed, room_code=survey.room_code, client=anyone)
    for person in room.attending:
        way_in = models.BallotBody(room_code=survey.room_code, member_id=person.member_id)
        ballot = made(open_ballot.sync_detailed, client=anyone, body=way_in)
        answers = [models.OneAnswer(each.key, each.options[-1].value) for each in ballot.questions if each.options]
        filled = models.AnswersBody(ballot_id=ballot.ballot_id, answers=answers)
        made(send_answers.sync_detailed, client=anyone, body=filled)
    state = made(close_meeting.sync_detailed, **here).state
    results = made(get_results.sync_detailed, survey_id=survey.id, client=client)
    problem = get_meeting.sync(meeting_id=uuid4(), client=client)
    told = {"version": version, "state": state, "there": len(room.attending), "results": results.state}
    print(json.dumps(told | {"problem": problem.title if problem else None}))


if __name__ == "__main__":
    main(*sys.argv[1:])
