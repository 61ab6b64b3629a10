"""The routes of notifications: what was sent, what was dropped, and why."""

from gateway import fields
from gateway.routes import Route
from pratique.events.notifications import DropReason, MessageState, Template


class Message(fields.Answer):
    """One message to one member, without its words."""

    id = fields.ident("Id.", "message")
    member_id = fields.ident("To whom.", "member")
    template = fields.one_of(Template, "What it says.")
    meeting_id = fields.ident("About which meeting; null if about none.", "meeting", allow_none=True)
    survey_id = fields.ident("About which survey; null if about none.", "survey", allow_none=True)
    state = fields.one_of(MessageState, "Where it stands; sent, failed and dropped are final.")
    drop_reason = fields.one_of(DropReason, "Why it was dropped; null otherwise.", allow_none=True)
    last_error = fields.text("What the mail server said last; null if nothing.", "", 1000, allow_none=True)
    attempts = fields.whole("How often it was tried.", 1)
    created_at = fields.instant("When there was a reason to send it.")
    due_at = fields.instant("When it was to go.")
    settled_at = fields.instant("When it was sent, dropped or given up; null before.", allow_none=True)


ROUTES = (
    Route(
        "GET",
        "/v1/members/<uuid:member_id>/messages",
        "List what a member was sent, or not sent, and why",
        scope="messages:read",
        rpc="notifications.list_messages",
        answer=Message,
        is_list=True,
    ),
)
