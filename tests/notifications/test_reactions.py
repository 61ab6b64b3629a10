"""Whom an event makes us write to, and whom not."""

import dataclasses
import re
from collections import Counter
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from chassis import clock
from chassis.testing import memory_store
from pratique.events.membership import Role
from pratique.events.notifications import DropReason, MessageDropped, Template
from pratique.testing import AT
from services.notifications import models
from services.notifications.models import State
from tests.notifications.conftest import named


def states(network: Any, template: Template) -> list[tuple[State, DropReason | None]]:
    return [(message.state, message.drop_reason) for message in network.messages(template)]


def test_every_member_of_the_communities_is_invited_once(network: Any) -> None:
    tell, events = network.deliver, network.events
    tell(*(events.contact(name) for name in ("Ada", "Bo", "Cy")))
    tell(events.joins("Ada", "Relève"), events.joins("Ada", "Compost"), events.joins("Bo", "Compost"))
    tell(events.joins("Cy", "Autre"), *(events.community(name) for name in ("Relève", "Compost", "Autre")))
    tell(events.scheduled("rencontre", "Relève", "Compost"), events.described("rencontre"))
    network.send()
    assert network.letters() == [("meeting_invitation", "ada"), ("meeting_invitation", "bo")]


def test_who_joins_later_is_invited_to_what_is_ahead_only(network: Any) -> None:
    network.invited("Ada")
    events = network.events
    past = AT - timedelta(days=7)
    network.deliver(events.scheduled("hier", "Relève", starts_at=past, ends_at=past + timedelta(hours=1)))
    network.deliver(events.contact("Bo"), events.joins("Bo", "Relève"))
    network.send()
    assert network.letters() == [("meeting_invitation", "ada"), ("meeting_invitation", "bo")]


def test_belonging_in_another_capacity_invites_nobody_again(network: Any) -> None:
    network.invited("Ada")
    network.deliver(network.events.joins("Ada", "Relève", version=2))
    network.send()
    assert network.letters() == [("meeting_invitation", "ada")]


def test_a_meeting_that_is_over_is_recorded_as_expired_and_told(network: Any) -> None:
    network.deliver(network.events.joins("Ada", "Relève"))
    clock.move(timedelta(days=8))
    network.deliver(network.events.scheduled("rencontre", "Relève"))
    network.deliver(network.events.scheduled("rencontre", "Relève"))
    assert states(network, Template.MEETING_INVITATION) == [(State.DROPPED, DropReason.EXPIRED)]
    dropped = network.published(MessageDropped)
    assert [(each.template, each.reason) for each in dropped] == [(Template.MEETING_INVITATION, DropReason.EXPIRED)]


def test_a_cancelled_meeting_leaves_nothing_scheduled(network: Any) -> None:
    network.deliver(network.events.joins("Ada", "Relève"), network.events.scheduled("rencontre", "Relève"))
    network.deliver(network.events.asked("rencontre", "Ada"), network.events.cancelled("rencontre", "Relève"))
    assert {message.state for message in network.messages()} == {State.DROPPED}
    assert [each.reason for each in network.published(MessageDropped)] == [DropReason.CANCELLED]
    assert all(message.box is None for message in network.messages())


def test_a_cancellation_is_told_to_those_who_had_been_invited(network: Any) -> None:
    network.invited("Ada", "Bo")
    network.deliver(network.events.joins("Cy", "Relève"))  # whose contact card has not come, so Cy was not yet invited
    network.deliver(network.events.cancelled("rencontre", "Relève"), network.events.described("rencontre", version=2))
    network.send()
    assert [each for each in network.letters() if each[0] == "meeting_cancelled"] == [
        ("meeting_cancelled", "ada"),
        ("meeting_cancelled", "bo"),
    ]


def test_a_closed_meeting_invites_nobody_any_more(network: Any) -> None:
    network.deliver(network.events.joins("Ada", "Relève"), network.events.scheduled("rencontre", "Relève"))
    network.deliver(network.events.closed("rencontre", "Relève"))
    network.deliver(network.events.joins("Bo", "Relève"))
    assert states(network, Template.MEETING_INVITATION) == [(State.DROPPED, DropReason.EXPIRED)] * 2


def test_those_named_are_asked_and_nobody_else(network: Any) -> None:
    network.invited("Ada", "Bo", "Cy")
    network.deliver(network.events.asked("rencontre", "Ada", "Bo"), network.events.asked("rencontre", "Ada", "Bo"))
    network.send()
    asked = [mailbox for template, mailbox in network.letters() if template == "survey_invitation"]
    assert asked == ["ada", "bo"]


def test_nobody_is_asked_about_a_survey_that_is_closed(network: Any) -> None:
    clock.move(timedelta(days=15))
    network.deliver(network.events.asked("rencontre", "Ada"), network.events.reminded("rencontre", "Ada"))
    expired = [(State.DROPPED, DropReason.EXPIRED)]
    assert states(network, Template.SURVEY_INVITATION) == states(network, Template.SURVEY_REMINDER) == expired


def test_whoever_was_not_there_after_all_is_not_asked(network: Any) -> None:
    network.deliver(network.events.asked("rencontre", "Ada", "Bo"), network.events.revoked("rencontre", "Ada"))
    revoked, waiting = (State.DROPPED, DropReason.REVOKED), (State.QUEUED, None)
    assert sorted(states(network, Template.SURVEY_INVITATION)) == [revoked, waiting]


def test_a_revocation_that_comes_first_holds(network: Any) -> None:
    network.deliver(network.events.revoked("rencontre", "Ada"))
    network.deliver(network.events.asked("rencontre", "Ada"))
    assert states(network, Template.SURVEY_INVITATION) == [(State.DROPPED, DropReason.REVOKED)]


def test_whoever_was_there_after_all_is_asked_with_the_newer_link(network: Any) -> None:
    network.invited("Ada")
    network.deliver(network.events.asked("rencontre", "Ada"), network.events.revoked("rencontre", "Ada"))
    network.deliver(network.events.asked("rencontre", "Ada", version=4, token="newer"))
    network.deliver(network.events.revoked("rencontre", "Ada"))
    network.send()
    assert "https://pratique.example/s/newer-Ada" in network.reads(Template.SURVEY_INVITATION, "ada")


def test_the_results_are_told_to_those_who_were_there_once_each_and_to_no_other_member(network: Any) -> None:
    network.invited("Ada", "Bo", "Cy")
    network.deliver(network.events.contact("Di"), network.events.joins("Ada", "Compost"))
    network.deliver(network.events.closed("rencontre", "Relève", "Compost", there="Ada Di", absent="Bo"))
    network.deliver(network.events.released("rencontre", "Relève", "Compost"))
    network.deliver(network.events.joins("Cy", "Compost"))
    network.send()
    assert network.told(Template.RESULTS_RELEASED) == ["ada", "di"]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_whatever_comes_first_results_go_to_those_who_were_there_in_the_end(network: Any, order: Any) -> None:
    network.invited("Ada", "Bo", "Cy", "Di")
    events = network.events
    of = ("rencontre", "Relève")
    told = [
        events.recorded(*of, Ada="no_show", Bo="attended", Di="attended"),
        events.closed(*of, there="Ada Bo", absent="Di"),
        events.corrected(*of, who="Cy", to="attended_partly"),
        events.released(*of),
    ]
    for position in order:
        network.deliver(told[position])
    network.deliver(events.corrected(*of, who="Bo", to="excused", version=6))
    network.send()
    assert network.told(Template.RESULTS_RELEASED) == ["ada", "cy"]


def test_whoever_took_notes_is_not_told_of_results(network: Any) -> None:
    network.invited("Ada", "Bo")
    network.deliver(network.events.changed("rencontre", "Relève", note_taker="Bo", changed=("note_taker_id",)))
    network.deliver(network.events.closed("rencontre", "Relève", there="Ada Bo"))
    network.deliver(network.events.released("rencontre", "Relève"))
    network.send()
    assert network.told(Template.RESULTS_RELEASED) == ["ada"]


def test_results_of_a_meeting_that_nobody_closed_go_to_those_recorded_so_far(network: Any) -> None:
    network.invited("Ada", "Bo")
    network.deliver(network.events.recorded("rencontre", "Relève", Ada="attended", Bo="unknown"))
    network.deliver(network.events.released("rencontre", "Relève"))
    network.send()
    assert network.told(Template.RESULTS_RELEASED) == ["ada"]


def test_results_say_where_they_are_and_whom_to_tell_who_was_not_there(network: Any) -> None:
    network.invited("Ada")
    network.deliver(network.events.contact("Ada", "en", version=2))
    network.deliver(
        network.events.closed("rencontre", "Relève", there="Ada"), network.events.released("rencontre", "Relève")
    )
    network.send()
    text = network.reads(Template.RESULTS_RELEASED, "ada")
    [link] = re.findall(r"https://pratique\.example/results/(\S+)", text)
    assert network.seal.read_link("results", link) == (named("survey of rencontre"),)
    assert "You are recorded as present" in text
    assert "answered in your name" in text


def test_withheld_results_are_told_to_facilitators_only(network: Any) -> None:
    network.invited("Ada", "Bo", "Cy")
    network.deliver(network.events.role("Ada", "Relève"), network.events.role("Bo", "Relève", "coordinator"))
    network.deliver(network.events.role("Cy", "Ailleurs"), network.events.withheld("rencontre", "Relève", "Compost"))
    network.send()
    told = [each for each in network.letters() if each[0] == "results_withheld"]
    assert told == [("results_withheld", "ada")]


def test_withheld_results_are_told_to_whoever_facilitated_though_they_belong_to_no_community(network: Any) -> None:
    network.invited("Ada")
    network.deliver(network.events.contact("Fay"), network.events.withheld("rencontre", "Relève"))
    network.deliver(network.events.changed("rencontre", "Relève", facilitator="Fay", changed=("facilitator_id",)))
    network.send()
    assert network.told(Template.RESULTS_WITHHELD) == ["fay"]


def test_withheld_results_of_a_meeting_long_past_are_no_news(network: Any) -> None:
    network.invited("Ada")
    clock.move(timedelta(days=30))
    network.deliver(network.events.role("Ada", "Relève"), network.events.withheld("rencontre", "Relève"))
    network.send()
    assert states(network, Template.RESULTS_WITHHELD) == [(State.DROPPED, DropReason.EXPIRED)]


def test_who_facilitates_no_more_is_not_told(network: Any) -> None:
    network.invited("Ada")
    network.deliver(network.events.role_ended("Ada", "Relève"))
    network.deliver(network.events.role("Ada", "Relève"), network.events.withheld("rencontre", "Relève"))
    assert network.messages(Template.RESULTS_WITHHELD) == []


def test_a_role_that_ends_while_the_message_waits_drops_it(network: Any) -> None:
    network.invited("Ada")
    network.deliver(network.events.role("Ada", "Relève"), network.events.withheld("rencontre", "Relève"))
    network.deliver(network.events.role_ended("Ada", "Relève"))
    network.send()
    assert states(network, Template.RESULTS_WITHHELD) == [(State.DROPPED, DropReason.REVOKED)]


def whole_story(events: Any) -> list[Any]:
    """Two communities, a meeting of both that is held, a survey, its results; and a meeting that is cancelled."""
    return [
        *(events.contact(name) for name in ("Ada", "Bo", "Cy")),
        events.contact("Ada", version=2, name="Ada Dumas"),
        *(events.community(name) for name in ("Relève", "Compost")),
        *(events.joins(name, "Relève") for name in ("Ada", "Bo")),
        *(events.joins(name, "Compost") for name in ("Ada", "Cy")),
        events.role("Cy", "Compost"),
        events.scheduled("rencontre", "Relève", "Compost"),
        events.described("rencontre"),
        events.scheduled("autre", "Compost"),
        events.described("autre"),
        events.described("autre", version=2, cancel_reason="La salle est prise."),
        events.cancelled("autre", "Compost"),
        events.asked("rencontre", "Ada", "Bo"),
        events.revoked("rencontre", "Bo"),
        events.asked("rencontre", "Cy", version=4),
        events.recorded("rencontre", "Relève", "Compost", Cy="attended"),
        events.corrected("rencontre", "Relève", "Compost", who="Cy", to="excused"),
        events.corrected("rencontre", "Relève", "Compost", who="Ada", to="attended"),
        events.corrected("rencontre", "Relève", "Compost", who="Bo", to="attended"),
        events.released("rencontre", "Relève", "Compost"),
        events.withheld("autre", "Compost"),
    ]


ONCE_EACH = [
    *(("meeting_invitation", name) for name in ("ada", "bo", "cy")),
    *(("results_released", name) for name in ("ada", "bo")),
    *(("survey_invitation", name) for name in ("ada", "cy")),
]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_the_order_and_the_repeats_everyone_gets_each_message_once(
    network: Any, tmp_path_factory: Any, data: st.DataObject
) -> None:
    told = whole_story(network.events)
    order = data.draw(st.permutations([*range(len(told)), *data.draw(st.lists(st.integers(0, len(told) - 1)))]))
    batch = data.draw(st.integers(1, 8))
    with memory_store("notifications", models.Base.metadata) as opened:
        one = type(network)(opened, tmp_path_factory.mktemp("mail"))
        for start in range(0, len(order), batch):
            one.deliver(*(told[position] for position in order[start : start + batch]))
        one.send()
        assert one.letters() == ONCE_EACH
        invitations = one.messages(Template.MEETING_INVITATION)
        outcomes = Counter((message.state, message.drop_reason) for message in invitations)
        assert outcomes == {(State.SENT, None): 3, (State.DROPPED, DropReason.CANCELLED): 2}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_while_mails_go_out_nobody_gets_two_and_every_invited_learns_of_the_cancellation(
    network: Any, tmp_path_factory: Any, data: st.DataObject
) -> None:
    told = whole_story(network.events)
    order = data.draw(st.permutations([*range(len(told)), *range(len(told))]))
    with memory_store("notifications", models.Base.metadata) as opened, clock.fixed(AT):
        one = type(network)(opened, tmp_path_factory.mktemp("mail"))
        for position in order:
            one.deliver(told[position])
            one.send()
            clock.move(timedelta(seconds=2))
        clock.move(timedelta(hours=1))
        one.send()
        assert len({mail["Message-ID"] for mail in one.mails()}) == len(one.mails())
        held, off = (one.events.scheduled(name).meeting_id for name in ("rencontre", "autre"))
        assert len(reached(one, Template.MEETING_INVITATION, held)) == 3
        invited_in_vain = reached(one, Template.MEETING_INVITATION, off)
        assert reached(one, Template.MEETING_CANCELLED, off) == invited_in_vain


def reached(network: Any, template: Template, meeting_id: UUID) -> set[UUID]:
    """Whom this message about this meeting was sent to."""
    rows = network.messages(template)
    return {row.member_id for row in rows if row.meeting_id == meeting_id and row.state is State.SENT and row.member_id}


def test_a_role_that_a_later_version_has_added_tells_nobody_anything_and_stops_nothing(network: Any) -> None:
    assigned = network.events.role("Ada", "Relève")
    network.deliver(dataclasses.replace(assigned, role="archivist"))
    network.deliver(network.events.role("Bo", "Relève"))

    assert [role for (role,) in network.read(select(models.CommunityRole.role))] == [Role.FACILITATOR]


def test_who_has_left_is_invited_to_nothing_more_and_what_waited_for_them_is_dropped(network: Any) -> None:
    tell, events = network.deliver, network.events
    tell(*(events.contact(name) for name in ("Ada", "Bo")))
    tell(events.joins("Ada", "Relève"), events.joins("Bo", "Relève"), events.community("Relève"))
    tell(events.scheduled("rencontre", "Relève"), events.described("rencontre"))
    tell(events.leaves("Bo", "Relève"))
    network.send()
    tell(events.scheduled("suivante", "Relève"), events.described("suivante"))
    network.send()

    assert network.letters() == [("meeting_invitation", "ada"), ("meeting_invitation", "ada")]
    assert (State.DROPPED, DropReason.REVOKED) in states(network, Template.MEETING_INVITATION)


def test_who_left_before_it_was_known_that_they_joined_is_invited_to_nothing(network: Any) -> None:
    tell, events = network.deliver, network.events
    tell(events.contact("Ada"), events.community("Relève"))
    tell(events.scheduled("rencontre", "Relève"), events.described("rencontre"))
    tell(events.leaves("Ada", "Relève"))
    tell(events.joins("Ada", "Relève"))
    network.send()

    assert network.letters() == []


@pytest.mark.parametrize("fields", [{"facilitator": "Ada"}, {"note_taker": "Ada"}, {}])
def test_who_leaves_one_community_is_invited_by_another_or_because_the_meeting_names_them(
    network: Any, fields: dict[str, str]
) -> None:
    tell, events = network.deliver, network.events
    communities = ("Relève",) if fields else ("Relève", "Compost")
    tell(events.contact("Ada"), *(events.community(each) for each in communities))
    tell(*(events.joins("Ada", each) for each in communities))
    tell(events.scheduled("rencontre", *communities, **fields), events.described("rencontre"))
    tell(events.leaves("Ada", "Relève"))
    network.send()

    assert network.letters() == [("meeting_invitation", "ada")]


def test_who_joins_again_is_invited_to_what_is_scheduled_since(network: Any) -> None:
    tell, events = network.deliver, network.events
    tell(events.contact("Ada"), events.community("Relève"))
    tell(events.joins("Ada", "Relève"), events.leaves("Ada", "Relève"), events.joins("Ada", "Relève", version=3))
    tell(events.scheduled("rencontre", "Relève"), events.described("rencontre"))
    network.send()

    assert network.letters() == [("meeting_invitation", "ada")]
