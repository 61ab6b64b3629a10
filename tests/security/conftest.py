"""Fixture of attacks: one site, on which nothing that is tried stays."""

from collections.abc import Iterator

import pytest

from tests.security.site import Site, site_in


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_in(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(autouse=True)
def _nothing_done_yet(site: Site) -> None:
    del site.done[:]
