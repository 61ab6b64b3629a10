"""What membership answers by RPC. Dump is a promise."""

from marshmallow import Schema, fields

from pratique.events.membership import Capacity, CommunityKind, Locale, Role


class Organization(Schema):
    """An organisation."""

    organization_id = fields.UUID()
    name = fields.String()
    region = fields.String()
    sector = fields.String()
    size_band = fields.String()
    version = fields.Integer()


class Community(Schema):
    """A community."""

    community_id = fields.UUID()
    name = fields.String()
    purpose = fields.String()
    kind = fields.Enum(CommunityKind, by_value=True)
    locale = fields.Enum(Locale, by_value=True)
    timezone = fields.String()
    version = fields.Integer()


class Member(Schema):
    """A person, with the address: for callers who may read it."""

    member_id = fields.UUID()
    name = fields.String()
    email = fields.String()
    locale = fields.Enum(Locale, by_value=True)
    timezone = fields.String()
    version = fields.Integer()


class Membership(Schema):
    """That a person belongs to a community."""

    membership_id = fields.UUID()
    community_id = fields.UUID()
    member_id = fields.UUID()
    capacity = fields.Enum(Capacity, by_value=True)
    organization_id = fields.UUID(allow_none=True)
    version = fields.Integer()


class RoleAssignment(Schema):
    """A member's role; ``ended_at`` is null while they have it."""

    assignment_id = fields.UUID()
    community_id = fields.UUID()
    member_id = fields.UUID()
    role = fields.Enum(Role, by_value=True)
    assigned_at = fields.AwareDateTime(format="iso")
    ended_at = fields.AwareDateTime(format="iso", allow_none=True)
    version = fields.Integer()


class Label(Schema):
    """How a person is named in a room."""

    member_id = fields.UUID()
    label = fields.String()
