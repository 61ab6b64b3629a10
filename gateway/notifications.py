"""The routes of notifications: what was sent, what was dropped, and why."""

from gateway import fields
from gateway.routes import Route
from pratique.events.notifications import Template


class Message(fields.Answer):
    """One message to one member, without its words."""

    message_id = fields.ident("Id.", "message")
    member_id = fields.ident("To whom.", "member")
    template = fields.one_of(Template, "What it says.")
    state = fields.text("What became of it.", "sent")
    reason = fields.text("Why it was dropped or failed; empty otherwise.", "")
    created_at = fields.instant("When there was a reason to send it.")
    sent_at = fields.instant("When the mail server took it; null if it did not.", allow_none=True)


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
