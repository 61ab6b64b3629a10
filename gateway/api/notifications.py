"""Routes of notifications: what was sent, what was dropped, and why."""

from gateway.routes import Route
from pratique.requests.notifications import ListMessages

ROUTES = (
    Route(
        "GET",
        "/v1/members/<uuid:member_id>/messages",
        "List what a member was sent, or not sent, and why",
        request=ListMessages,
    ),
)
