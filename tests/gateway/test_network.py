"""The sheet of a network's communities, opened in a spreadsheet."""

import pytest

from gateway.pages.network import harmless


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1"])
def test_nothing_in_a_table_is_taken_for_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert harmless("Aînés-numérique = ensemble") == "Aînés-numérique = ensemble"
