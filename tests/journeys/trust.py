"""Steps of a scenario about authority: roles of every scope, and what only pages ask, or whoever is limited."""

import dataclasses
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from chassis import clock
from chassis.actor import NETWORK, Actor, acting
from operations import composition
from pratique.errors import Forbidden
from pratique.events.membership import Locale, Role
from pratique.permissions import Grant
from pratique.request import Request
from pratique.requests.evaluation import (
    GetSurvey,
    ListEvaluationAudit,
    ListOutcomes,
    ListReleases,
    MailSurveyLink,
    ReadMeetingResults,
    RoomPolicy,
)
from pratique.requests.meetings import (
    GetMeeting,
    GetStanding,
    ListAgenda,
    ListInvited,
    ListMeetingsAudit,
    ListMeetingVersions,
    ListRegistrations,
    SummarizeMeetings,
)
from pratique.requests.membership import (
    AddPerson,
    GetMember,
    GetPersonInCommunity,
    GetRoleHolders,
    ListCommunities,
    ListCommunitySets,
    ListMembershipAudit,
    ListRoster,
    PutOrganization,
    TrustPerson,
)
from pratique.requests.notifications import ListMessages, ListNotificationsAudit, PreviewInvitation, ReadInvitation
from tests.harness.network import AT, Network
from tests.harness.people import ZONE, Community


def trust(network: Network, community: Community, member_id: str) -> None:
    """Roles over sets and the network are given, begin, end and are listed; sets change."""
    region, soon = f"/v1/community-sets/{uuid4()}", (clock.now() + timedelta(hours=1)).isoformat()
    later = (clock.now() + timedelta(hours=2)).isoformat()
    network.ok("PUT", region, {"name": "Région", "community_ids": []})
    network.ok("PUT", f"/v1/community-sets/{uuid4()}", {"name": "Autre région", "community_ids": []})
    for of in (region, "/v1"):
        network.ok("PUT", f"{of}/roles/{member_id}/facilitator")
        network.ok("PUT", f"{of}/roles/{member_id}/note_taker", {"begins_at": soon, "ends_at": later})
        network.ok("DELETE", f"{of}/roles/{member_id}/facilitator")
        network.ok("PUT", f"{of}/roles/{member_id}/facilitator")
    network.ok("PUT", region, {"name": "Région", "community_ids": [community.id]}, {"If-Match": "*"})
    network.ok("PUT", f"/v1/roles/{member_id}/network_admin")
    network.ok("PUT", f"/v1/roles/{community.member_ids[1]}/network_admin")
    network.ok("DELETE", f"/v1/roles/{member_id}/network_admin")
    network.create_community(members=0)
    founded = {"name": "Cercle", "purpose": "Apprendre.", "kind": "open", "locale": "fr", "timezone": "America/Toronto"}
    network.ok("PUT", f"{region}/communities/{uuid4()}", founded)
    for path in (region, "/v1/community-sets", f"{region}/roles", "/v1/roles"):
        network.ok("GET", f"{path}?limit=1")
    network.advance(hours=1)
    network.advance(hours=1)


def coordinator_of(community: Community) -> Actor:
    """Whoever may act in this community alone."""
    return Actor("member x", (Grant.of_role("coordinator", [UUID(community.id)]),), UUID(int=7))


def ask_as(network: Network, actor: Actor, community: Community, meeting_id: str) -> None:
    """Ask by RPC's way what no route asks, and of whom rights are limited, so that those are looked up."""
    ids = (UUID(community.id),)
    span: dict[str, Any] = {"since": AT - timedelta(days=400), "until": AT + timedelta(days=400)}
    member_id, meeting = UUID(community.member_ids[0]), UUID(meeting_id)
    set_id = UUID(network.ok("GET", "/v1/community-sets?limit=1")["items"][0]["set_id"])
    asked: list[Request] = [
        ListAgenda(community_ids=ids, member_id=actor.member_id, **span),
        SummarizeMeetings(community_ids=ids, **span),
        ListRoster(community_ids=ids),
        GetPersonInCommunity(community_id=ids[0], member_id=member_id),
        ListReleases(community_id=ids[0], limit=1),
        GetMember(member_id=member_id),
        GetMeeting(meeting_id=meeting),
        ListRegistrations(meeting_id=meeting),
        ListInvited(meeting_id=meeting),
        GetStanding(meeting_id=meeting, member_id=member_id),
        ReadInvitation(meeting_id=meeting, member_id=member_id),
        PreviewInvitation(meeting_id=meeting, locale=Locale.FR),
        ListMeetingVersions(ids=(meeting,)),
        GetSurvey(meeting_id=meeting),
        ListMessages(member_id=member_id),
        ListOutcomes(meeting_ids=(meeting,)),
        ReadMeetingResults(meeting_id=meeting, locale=Locale.FR),
        ListCommunities(),
        ListCommunitySets(),
        GetRoleHolders(set_id=set_id),
        AddPerson(community_id=ids[0], member_id=uuid4(), email="new@example.org", name="Noa Régis"),
        TrustPerson(
            set_id=set_id,
            member_id=uuid4(),
            email="new@example.org",
            locale=Locale.FR,
            timezone=ZONE,
            role=Role.EVALUATOR,
        ),
        PutOrganization(organization_id=uuid4(), name="Maison"),
    ]
    for request in asked:
        _, handler = composition.service_class(request.service).handlers[request.method]
        with acting(actor), network.services[request.service].begin() as transaction, suppress(Forbidden):
            handler(transaction, request)
    for kind in (ListMembershipAudit, ListMeetingsAudit, ListEvaluationAudit, ListNotificationsAudit):
        looked_for = kind(since=AT - timedelta(days=700), before=AT + timedelta(days=400))
        _, handler = composition.service_class(kind.service).handlers[kind.method]
        with acting(NETWORK), network.services[kind.service].begin() as transaction:
            handler(transaction, looked_for)


def ask_for_link(network: Network, room_code: str, member_id: str) -> None:
    """Ask for one's link in a room in which nobody chooses a name."""
    command = MailSurveyLink(room_code=room_code, member_id=UUID(member_id))
    _, handler = composition.service_class("evaluation").handlers[command.method]
    opened = network.services["evaluation"]
    former = opened.settings
    assert former is not None
    opened.settings = dataclasses.replace(former, room_policy=RoomPolicy.PERSONAL)
    try:
        with opened.begin() as transaction:
            handler(transaction, command)
    finally:
        opened.settings = former
