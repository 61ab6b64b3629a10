"""What crosses RPC: a dump is a promise."""

from marshmallow import Schema, fields

from pratique.events import notifications as events
from services.notifications import models


class Message(Schema):
    """One message to a person: what became of it, when, and why. What its box holds is in no answer."""

    id = fields.UUID()
    member_id = fields.UUID()
    template = fields.Enum(events.Template, by_value=True)
    meeting_id = fields.UUID(allow_none=True)
    survey_id = fields.UUID(allow_none=True)
    state = fields.Enum(models.State, by_value=True)
    drop_reason = fields.Enum(events.DropReason, by_value=True, allow_none=True)
    last_error = fields.String(allow_none=True)
    attempts = fields.Integer()
    created_at = fields.AwareDateTime()
    due_at = fields.AwareDateTime()
    settled_at = fields.AwareDateTime(allow_none=True)
