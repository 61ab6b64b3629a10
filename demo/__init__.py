"""A network to look at: six communities, some 120 people, two years of meetings, answers and releases.

It is made by the same commands as anything else, with the clock set to when each would have been given, and carried
between the stores in this process; the same date makes the same network.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from chassis import clock
from chassis.settings import SERVICES, Settings
from demo.history import STAFF, History, staff_id
from demo.network import BEGUN, LOADED, Network, id_of
from demo.people import COMMUNITIES
from pratique.errors import Conflict, NotFound
from pratique.requests.membership import GetAuthority, ListMemberships, ListRoles

YEARS = 2
Progress = Callable[[int, int], None]  #: done, of how many


def is_loaded(settings: Settings, classes: Sequence[Any]) -> bool:
    """Return whether the sample's first community is there. Half a sample counts: ``discard_unfinished`` first."""
    with Network(settings, classes) as network:
        return network.has_community(community_id(COMMUNITIES[0].key))


def community_id(key: str) -> UUID:
    """The id of one of the sample's communities."""
    return id_of("community", key)


def list_people_to_be(settings: Settings, classes: Sequence[Any]) -> Mapping[str, UUID]:
    """Return as whom one may look around: in the sample's first community, and over the whole network.

    Shape: a member id for each role, the network's before the community's, and for "member" one who has none; fewer in
    an old sample.
    """
    first = str(community_id(COMMUNITIES[0].key))
    with Network(settings, classes) as network:
        if not network.has_community(UUID(first)):
            return {}
        roles = network.do(ListRoles, community_id=first, limit=500).rows
        members = network.do(ListMemberships, community_id=first, limit=500).rows
        found = {row.role.value: row.member_id for row in roles if row.ended_at is None}
        for role in STAFF:
            with suppress(NotFound):  # in a sample from before there was staff
                found[role] = network.do(GetAuthority, member_id=str(staff_id(role))).member_id
    plain = [row.member_id for row in members if row.member_id not in found.values()]
    return found | ({"member": plain[0]} if plain else {})


def load(
    settings: Settings,
    classes: Sequence[Any],
    progress: Progress = lambda done, total: None,
    *,
    is_anew: bool = False,
) -> None:
    """Fill empty stores with the sample network. ``classes`` are the nameko classes of all services.

    Takes tens of seconds; ``progress`` is called after each step. Mails of the past are recorded as sent and not kept.
    What interrupts it leaves half a sample: the embedded mode starts anew then, elsewhere ``is_anew`` removes it first.

    Raises:
        Conflict: the sample is there already, or half of it, or the stores hold something else.
    """
    with Network(settings, classes) as network:
        if network.is_used():
            _make_room(network, is_anew)
        network.record(BEGUN)
        if settings.is_embedded:
            _mark(settings).touch()
        until = clock.now()
        history = History(network, until - timedelta(days=365 * YEARS), until)
        with clock.fixed(until - timedelta(days=365 * YEARS)):
            history.play(progress)
        network.record(LOADED)
    _mark(settings).unlink(missing_ok=True)


def _make_room(network: Network, is_anew: bool) -> None:
    if not network.is_unfinished():
        raise Conflict("The stores are not empty; the sample network is only loaded into empty ones.")
    if not is_anew:
        raise Conflict(
            "Half a sample is here, since loading it was interrupted. `pratique sample load --anew` removes all that "
            "the services know, and loads it from the beginning."
        )
    network.discard()


def discard_unfinished(settings: Settings) -> None:
    """Remove the embedded mode's stores of services if they hold half a sample, because loading it was interrupted."""
    if not _mark(settings).exists():
        return
    for name in SERVICES:
        for file in settings.data_dir.glob(f"{name}.sqlite*"):  # with what SQLite keeps beside it
            file.unlink()
    _mark(settings).unlink()


def _mark(settings: Settings) -> Path:
    """Is there from before the first row of the sample until after the last."""
    return settings.data_dir / "sample.unfinished"


__all__ = ["community_id", "discard_unfinished", "is_loaded", "list_people_to_be", "load"]
