"""What a sealed box and an opaque link tell to whoever has no key, and to whoever has it."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.sealing import BrokenSeal, Seal
from chassis.testing import SEAL_KEY

OURS, ANOTHER = Seal.of(SEAL_KEY), Seal.of("00" * 32)


@given(content=st.binary(max_size=5000), block=st.sampled_from([1, 256, 1024]))
def test_a_box_gives_back_what_was_put_in(content: bytes, block: int) -> None:
    assert OURS.open("sheet", OURS.close("sheet", content, block)) == content


def test_a_box_never_looks_the_same_twice_and_its_length_tells_only_blocks() -> None:
    boxes = [OURS.close("sheet", b"x" * length) for length in (0, 1, 100, 255)]
    assert len(set(boxes)) == 4
    assert {len(each) for each in boxes} == {256 + 40}


@given(at=st.integers(0, 295), bit=st.integers(0, 7))
def test_an_altered_box_does_not_open(at: int, bit: int) -> None:
    box = bytearray(OURS.close("sheet", b"what somebody answered"))
    box[at] ^= 1 << bit
    with pytest.raises(BrokenSeal):
        OURS.open("sheet", bytes(box))


def test_a_box_opens_for_its_purpose_and_its_network_alone() -> None:
    box = OURS.close("sheet", b"what somebody answered")
    for seal, purpose in ((ANOTHER, "sheet"), (OURS, "event")):
        with pytest.raises(BrokenSeal):
            seal.open(purpose, box)


@pytest.mark.parametrize("key", ["", "5e", "zz" * 32, "5e" * 33])
def test_a_key_of_another_shape_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="seal key"):
        Seal.of(key)


def test_a_link_names_its_ids_to_us_alone() -> None:
    survey_id, member_id = uuid4(), uuid4()
    link = OURS.link("survey", survey_id, member_id)
    assert OURS.read_link("survey", link) == (survey_id, member_id)
    assert OURS.link("survey", survey_id, member_id) != link
    assert len(link) == 96
    assert link.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("text", ["", "x", "é" * 96, "A" * 96, "A" * 10_000, "\x00"])
def test_a_link_that_we_did_not_make_leads_nowhere(text: str) -> None:
    with pytest.raises(BrokenSeal):
        OURS.read_link("survey", text)


UNTIL = datetime(2026, 3, 19, 20, tzinfo=UTC)
INSTANTS = st.integers(0, 2**32 - 1).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(until=INSTANTS, ids=st.lists(st.uuids(), min_size=1, max_size=3))
def test_a_lasting_link_names_its_ids_and_until_when_it_opens(until: datetime, ids: list[UUID]) -> None:
    link = OURS.lasting_link("pass", until, *ids)
    assert OURS.read_lasting_link("pass", link) == (until, tuple(ids))


def test_a_lasting_link_is_short_enough_for_a_mail_and_fits_into_an_address() -> None:
    link = OURS.lasting_link("pass", UNTIL, uuid4(), uuid4())
    assert len(link) == 102
    assert link.replace("-", "").replace("_", "").isalnum()


@given(at=st.integers(0, 101), other=st.characters(max_codepoint=255))
def test_a_lasting_link_of_which_a_sign_was_altered_opens_nothing(at: int, other: str) -> None:
    link = OURS.lasting_link("pass", UNTIL, uuid4(), uuid4())
    altered = link[:at] + other + link[at + 1 :]
    if altered != link:
        with pytest.raises(BrokenSeal):
            OURS.read_lasting_link("pass", altered)


def test_a_lasting_link_opens_for_its_purpose_and_its_network_alone() -> None:
    link = OURS.lasting_link("pass", UNTIL, uuid4(), uuid4())
    for seal, purpose in ((ANOTHER, "pass"), (OURS, "invitation"), (OURS, "survey")):
        with pytest.raises(BrokenSeal):
            seal.read_lasting_link(purpose, link)
    with pytest.raises(BrokenSeal):
        OURS.read_link("survey", link)


def test_a_mark_is_the_same_for_the_same_content_and_no_other() -> None:
    assert OURS.mark("message", b"a") == OURS.mark("message", b"a")
    marks = {
        OURS.mark("message", b"a"),
        OURS.mark("message", b"b"),
        OURS.mark("other", b"a"),
        ANOTHER.mark("message", b"a"),
    }
    assert len(marks) == 4
