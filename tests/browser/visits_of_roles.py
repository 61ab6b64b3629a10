"""Visits of pages about sets of communities and roles, as whoever coordinates or administers the network."""

from tests.browser.site import Site
from tests.browser.visit import LARGE, Visit, sending_nothing, signed_in

_SET = "/sets/{set_id}"
_HERE = "/communities/{community_id}/people/{member_id}/roles/{role}/end"


def _set(site: Site) -> str:
    return site.region


def _set_to_change(site: Site) -> str:
    return f"{site.region}/edit"


def _end_of_a_role_over_a_set(site: Site) -> str:
    return site.role_end(site.region)


def _end_of_a_role(site: Site) -> str:
    return site.role_end(site.community)


def _end_of_a_role_over_the_network(site: Site) -> str:
    return site.role_end("/network")


def _by(path: str) -> tuple[str, str]:
    return "GET", path


_new, _one, _all = (signed_in("network_admin", each) for each in ("/sets/new", _set, "/network/roles"))
VISITS_OF_ROLES = (
    Visit("role-end", _by(_HERE), signed_in("coordinator", _end_of_a_role), most_bytes=LARGE),
    Visit("set-new", _by("/sets/new"), _new, most_bytes=LARGE),
    Visit("set-new-empty", ("POST", "/sets/new"), sending_nothing(_new), 422, LARGE),
    Visit("set", _by(_SET), _one, most_bytes=LARGE),
    Visit("sets", _by("/sets"), signed_in("network_admin", "/sets"), most_bytes=LARGE),
    Visit("set-edit", _by(f"{_SET}/edit"), signed_in("network_admin", _set_to_change), most_bytes=LARGE),
    Visit("set-role-empty", ("POST", f"{_SET}/roles"), sending_nothing(_one), 422, LARGE),
    Visit(
        "set-role-end",
        _by(f"{_SET}/roles/{{member_id}}/{{role}}/end"),
        signed_in("network_admin", _end_of_a_role_over_a_set),
        most_bytes=LARGE,
    ),
    Visit(
        "network-role-end",
        _by("/network/roles/{member_id}/{role}/end"),
        signed_in("network_admin", _end_of_a_role_over_the_network),
        most_bytes=LARGE,
    ),
    Visit("network-roles", _by("/network/roles"), _all, most_bytes=LARGE),
    Visit("network-role-empty", ("POST", "/network/roles"), sending_nothing(_all), 422, LARGE),
)
