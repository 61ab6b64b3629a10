"""The sample network is loaded once, and known again however much later."""

from datetime import timedelta
from pathlib import Path

import pytest

import demo as sample
from chassis import clock, settings
from chassis.runtime.retention import retention
from demo.network import Network
from operations import composition
from pratique.errors import Conflict
from pratique.requests.membership import PutCommunity
from tests.harness.migrations import migrate_all

CLASSES = composition.service_classes(settings.SERVICES)
WORDS = {"name": "Familles", "purpose": "Apprendre.", "kind": "open", "locale": "fr", "timezone": "America/Toronto"}


@pytest.fixture
def empty(tmp_path: Path) -> settings.Settings:
    """The settings of stores that have all tables and nothing in them."""
    made = settings.embedded(tmp_path, tmp_path)
    migrate_all(made)
    return made


def found_first_community(made: settings.Settings) -> None:
    """As the sample does it: two years ago, so that retention soon forgets that it was announced."""
    with clock.fixed(clock.now() - timedelta(days=730)), Network(made, CLASSES) as network:
        network.do(PutCommunity, community_id=str(sample.community_id("familles")), **WORDS)
        network.settle()


def test_a_sample_that_was_loaded_is_known_after_its_events_are_forgotten(empty: settings.Settings) -> None:
    assert not sample.is_loaded(empty, CLASSES)
    found_first_community(empty)

    with Network(empty, CLASSES) as network:
        retention(network.stores["membership"])()

    assert sample.is_loaded(empty, CLASSES)


def test_the_sample_is_never_loaded_where_anything_is(empty: settings.Settings) -> None:
    found_first_community(empty)
    with Network(empty, CLASSES) as network:
        for opened in network.stores.values():
            retention(opened)()

    with pytest.raises(Conflict, match="not empty"):
        sample.load(empty, CLASSES)


def _interrupt(done: int, total: int) -> None:
    if done == 2:
        raise KeyboardInterrupt


def test_half_a_sample_is_removed_and_loaded_anew_only_if_one_says_so(empty: settings.Settings) -> None:
    with pytest.raises(KeyboardInterrupt):
        sample.load(empty, CLASSES, _interrupt)
    with pytest.raises(Conflict, match="--anew"):
        sample.load(empty, CLASSES)

    with pytest.raises(KeyboardInterrupt):
        sample.load(empty, CLASSES, _interrupt, is_anew=True)  # it begins: nothing is in its way any more


def test_what_is_no_half_sample_is_never_removed(empty: settings.Settings) -> None:
    found_first_community(empty)

    with pytest.raises(Conflict, match="not empty"):
        sample.load(empty, CLASSES, is_anew=True)
    assert sample.is_loaded(empty, CLASSES)
