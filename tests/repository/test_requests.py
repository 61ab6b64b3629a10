"""Every request of the contract has one handler, and a route or a reason to have none."""

import inspect
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import get_type_hints

import pytest

import pratique.requests as contract
from chassis.rpc.requests import Handlers
from chassis.testing import crossed
from gateway.app import ROUTES
from pratique.permissions import Permission, Rule
from pratique.request import Command, ListQuery, Query, Request, VersionedCommand
from pratique.requests import evaluation, meetings, membership, notifications
from pratique.testing import sample_request

MODULES: Mapping[str, ModuleType] = {name: getattr(contract, name) for name in contract.__all__}
REQUESTS: list[type[Request]] = [
    each
    for module in MODULES.values()
    for each in vars(module).values()
    if inspect.isclass(each) and issubclass(each, Request) and each.__module__ == module.__name__
]
#: Requests that the gateway makes without a row of their own, and why.
UNROUTED: Mapping[type[Request], str] = {
    evaluation.GetRoom: "GET /v1/rooms/{room_code} asks for it, and then for the labels of those who are there",
    meetings.ListMeetingVersions: "GET /v1/meetings/{meeting_id} asks for it of whoever has the meeting already",
    membership.GetAuthority: "the gateway asks for it, of whoever has signed in",
    membership.ListLabels: "GET /v1/rooms/{room_code} asks for it",
    evaluation.CheckAnswers: "POST /v1/answers asks for it, first of four",
    evaluation.TakeBallot: "POST /v1/answers asks for it, second of four",
    evaluation.CastSlip: "POST /v1/answers asks for it, third of four",
    evaluation.ConfirmBallot: "POST /v1/answers asks for it, last of four",
    evaluation.ReadQuestions: "the survey page asks for it",
    evaluation.IdentifySurvey: "all pages of a survey ask for it, before anything else of it",
    notifications.ReadMeetingHeading: "all pages of a survey ask for it, to say which meeting it is about",
    evaluation.MailSurveyLink: "the room's page asks for it, where nobody chooses a name",
    evaluation.ReadResults: "the results page asks for it",
    evaluation.ReadMeetingResults: "the facilitator's page of results asks for it",
    evaluation.ListOutcomes: "the facilitator's first page asks for it",
    meetings.ListAgenda: "the pages of facilitators and members ask for it",
    meetings.ListInvited: "the pages of whoever leads a meeting without a role ask for it",
    meetings.SummarizeMeetings: "the page of the network asks for it",
    membership.ListRoster: "the pages of a meeting and of a community ask for it",
    membership.GetPersonInCommunity: "the page of a person in a community asks for it",
    membership.GetRoleHolders: "the pages of roles over a set and over the network ask for it",
    membership.TrustPerson: "the same pages ask for it, where a role is given to whoever has an address",
    membership.AddPerson: "the page on which a person is added asks for it",
    membership.ListMembershipAudit: "the page of who did what asks for it",
    meetings.ListMeetingsAudit: "the page of who did what asks for it",
    evaluation.ListEvaluationAudit: "the page of who did what asks for it",
    notifications.ListNotificationsAudit: "the page of who did what asks for it",
    notifications.MailSignInLink: "the sign-in page asks for it, and nobody else may have a link mailed",
    meetings.GetStanding: "the page of an invitation asks for it",
    notifications.ReadInvitation: "the page of an invitation asks for it",
    notifications.PreviewInvitation: "the page on which a meeting is prepared asks for it",
}
#: Whose figure would tell what somebody has just done (docs/decisions/0005); who opens an invitation in the room is
#: about to answer.
UNCOUNTED = {
    evaluation.OpenBallot,
    evaluation.MailSurveyLink,
    evaluation.CheckAnswers,
    evaluation.TakeBallot,
    evaluation.CastSlip,
    evaluation.ConfirmBallot,
    evaluation.ReadQuestions,
    evaluation.IdentifySurvey,
    evaluation.GetRoom,
    evaluation.ReadResults,
    meetings.GetStanding,
    notifications.ReadInvitation,
    notifications.ReadMeetingHeading,
}
each_request = pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.__name__)


def tables_of(service: str) -> list[Handlers]:
    """The tables of commands and queries of a service."""
    modules = [import_module(f"services.{service}.{name}") for name in ("commands", "queries")]
    tables = [getattr(module, name, {}) for module, name in zip(modules, ("COMMANDS", "QUERIES"), strict=True)]
    return [table for table in tables if table]


HANDLERS = {kind: handler for name in MODULES for table in tables_of(name) for kind, handler in table.items()}


def test_there_are_requests_to_every_service() -> None:
    assert len(REQUESTS) > 30
    assert {kind.service for kind in REQUESTS} == set(MODULES)


@each_request
def test_every_request_has_one_handler_in_its_own_service(kind: type[Request]) -> None:
    assert [name for name in MODULES for table in tables_of(name) if kind in table] == [kind.service]


@each_request
def test_a_handler_takes_the_request_that_its_table_names_and_is_called_like_it(kind: type[Request]) -> None:
    handler = HANDLERS[kind]
    taken = list(get_type_hints(handler).values())[1]

    assert kind in (getattr(taken, "__args__", None) or (taken,))
    assert handler.__name__ == kind.method


@each_request
def test_every_request_has_a_route_or_a_reason(kind: type[Request]) -> None:
    routed = [route for route in ROUTES if route.request is kind]

    assert len(routed) == (0 if kind in UNROUTED else 1)


def test_every_api_route_that_does_not_act_by_itself_names_a_request() -> None:
    assert [route.path for route in ROUTES if route.request is None and route.act is None] == []


@pytest.mark.parametrize(
    "route", [each for each in ROUTES if each.request and not each.act], ids=lambda each: each.operation
)
def test_path_body_query_and_headers_fill_the_fields_of_a_request(route) -> None:  # type: ignore[no-untyped-def]
    kind = route.request
    filled = {name for name, _, _ in route.variables}
    for shape in (route.body, route.query):
        filled |= set(shape.schema.fields) if shape else set()
    filled |= {"if_version"} if issubclass(kind, VersionedCommand) else set()
    filled |= {"after", "limit"} if issubclass(kind, ListQuery) else set()

    assert filled == set(kind.schema.fields)


@each_request
def test_a_request_changes_something_or_nothing_and_says_which(kind: type[Request]) -> None:
    assert issubclass(kind, Command) != issubclass(kind, Query)
    for route in ROUTES:
        if route.request is kind:
            assert (route.method == "GET") == issubclass(kind, Query)


@each_request
def test_a_request_says_who_may_ask_it_and_its_route_asks_for_no_less(kind: type[Request]) -> None:
    assert isinstance(kind.needs, Permission | Rule)
    for route in ROUTES:
        if route.request is kind:
            assert route.scope == (kind.needs.value if isinstance(kind.needs, Permission) else None)
            assert kind.needs is not Rule.NETWORK, "what the network alone may ask has no route"


def test_nothing_about_ballots_is_counted_by_a_metric() -> None:
    assert {kind for kind in REQUESTS if not kind.is_counted} == UNCOUNTED


@each_request
def test_a_sample_of_each_request_crosses_rpc_unchanged(kind: type[Request]) -> None:
    asked = sample_request(kind)

    assert crossed(asked) == asked
