"""What a client reads when something goes wrong: one table, whoever refuses."""

import pytest

from chassis.http import problems


@pytest.mark.parametrize(
    ("status", "slug", "title"),
    [
        (400, "malformed", "The request cannot be read"),
        (404, "not-found", "Not found"),
        (405, "method-not-allowed", "The method is not allowed here"),
        (408, "timeout", "The body did not arrive in time"),
        (411, "length-required", "Send a Content-Length"),
        (413, "too-large", "The body is too large"),
        (414, "too-large", "The target is too long"),
        (431, "too-large", "The headers are too large"),
        (500, "internal", "Internal error"),
        (505, "refused", "The request is refused"),
    ],
)
def test_what_no_application_has_seen_is_refused_in_these_words(status: int, slug: str, title: str) -> None:
    response = problems.bare(status, '"detail":"why",')

    told = f'{{"type":"urn:pratique:problem:{slug}","detail":"why","title":"{title}","status":{status}}}'
    assert (response.status_code, response.get_data(as_text=True)) == (status, told)
    assert response.content_type == "application/problem+json"
