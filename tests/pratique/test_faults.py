"""Faults are told together, each at its field."""

import pytest

from pratique.errors import Invalid
from pratique.faults import MAX_TOLD, Faults


def check_four_fields() -> None:
    with Faults() as faults:
        faults.line("/name", " ", 10)
        faults.line("/region", "x" * 11, 10, required=False)
        faults.zone("/timezone", "Mars/Olympus")
        faults.line("/sector", "", 10, required=False)


def fail_while_checking() -> None:
    with Faults() as faults:
        faults.add("/name", "No.")
        raise KeyError


def find_thousands() -> None:
    with Faults() as faults:
        for each in range(5000):
            faults.add(f"/entries/{each}", f"{each} is a stranger.")


def test_all_faults_are_told_at_once_each_at_its_field() -> None:
    with pytest.raises(Invalid) as caught:
        check_four_fields()

    assert set(caught.value.fields) == {"/name", "/region", "/timezone"}
    assert "11 characters" in caught.value.message


@pytest.mark.parametrize("bad", ["a\nb", "a\x00", "a\r", "a\u2028b", "a\ud800", "a\x85b"])
def test_one_line_is_one_line(bad: str) -> None:
    with pytest.raises(Invalid), Faults() as faults:
        faults.line("/name", bad, 10)


def test_text_may_have_lines_but_no_other_controls() -> None:
    with Faults() as faults:
        faults.text("/purpose", "Apprendre\r\n\tensemble — déjà", 100)
    with pytest.raises(Invalid), Faults() as faults:
        faults.text("/purpose", "a\x00", 100)


def test_an_error_inside_the_block_is_not_hidden_by_faults() -> None:
    with pytest.raises(KeyError):
        fail_while_checking()


def test_thousands_of_faults_make_a_short_answer() -> None:
    with pytest.raises(Invalid) as caught:
        find_thousands()

    assert len(caught.value.fields) == MAX_TOLD
    assert caught.value.message == "0 is a stranger. 1 is a stranger. 2 is a stranger."
