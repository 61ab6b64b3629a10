"""What people read from membership."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from pratique.errors import Invalid, NotFound
from services.membership import queries, schemas
from services.membership.models import Community, Member

MEMBER, STRANGER = UUID(int=0xA), UUID(int=0xBAD)


def test_communities_are_listed_once_each_page_by_page(
    session: Session, put_community: Callable[..., Community]
) -> None:
    ids = [UUID(int=number) for number in (5, 3, 1, 4, 2)]
    for community_id in ids:
        put_community(community_id=community_id)
    seen: list[UUID] = []
    after = None
    while True:
        page = queries.list_communities(session, after=after, limit=2)
        seen += [community.community_id for community in page.rows]
        after = page.after
        if after is None:
            break

    assert seen == sorted(ids)


@pytest.mark.parametrize("after", ["", "x", "5"])
def test_a_key_that_comes_from_no_page_is_refused(session: Session, after: str) -> None:
    with pytest.raises(Invalid) as caught:
        queries.list_communities(session, after=after)

    assert set(caught.value.fields) == {"/after"}


@pytest.mark.parametrize("limit", [0, 501])
def test_a_page_has_one_to_five_hundred_rows(session: Session, limit: int) -> None:
    with pytest.raises(Invalid):
        queries.list_communities(session, limit=limit)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Amina Koné", "Amina K."),
        ("Jean-Pierre de la Tour", "Jean-Pierre T."),
        ("Élodie", "Élodie"),
        ("  Louis   roy ", "Louis R."),
    ],
)
def test_a_label_is_a_first_name_and_an_initial(
    session: Session, put_member: Callable[..., Member], name: str, label: str
) -> None:
    put_member(name=name)

    labels = queries.list_labels(session, member_ids=(MEMBER, STRANGER))

    assert schemas.Label(many=True).dump(labels) == [{"member_id": str(MEMBER), "label": label}]


def test_too_many_labels_at_once_are_refused(session: Session) -> None:
    with pytest.raises(Invalid):
        queries.list_labels(session, member_ids=(MEMBER,) * 5001)


def test_what_nobody_recorded_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound, match=str(STRANGER)):
        queries.get_member(session, member_id=STRANGER)
    with pytest.raises(NotFound, match=str(STRANGER)):
        queries.get_community(session, community_id=STRANGER)


def test_a_dumped_member_has_the_fields_that_are_promised(put_member: Callable[..., Member]) -> None:
    assert schemas.Member().dump(put_member()) == {
        "member_id": str(MEMBER),
        "name": "Amina Koné",
        "email": "amina@example.org",
        "locale": "fr",
        "timezone": "America/Toronto",
        "version": 1,
    }
