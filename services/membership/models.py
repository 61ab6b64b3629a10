"""Tables of membership, and the rules that one row can check alone. Methods return events."""

import re
import unicodedata
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, true
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.storage import quota, types
from chassis.storage.rows import Put
from chassis.validation import ValidationErrors, has_hidden, is_control
from pratique.event import Event
from pratique.events.membership import (
    Capacity,
    CommunityChanged,
    CommunityDescribed,
    CommunityFounded,
    CommunityKind,
    EndReason,
    Locale,
    MemberContactChanged,
    MemberRegistered,
    MembershipActivated,
    MembershipEnded,
    Role,
    RoleAssigned,
    RoleEnded,
)
from pratique.requests.membership import EMAIL_AT_MOST, NAME_AT_MOST

#: One @, no white space, and none of the characters by which a mail's header would read more than one address.
_EMAIL = re.compile(r'[^\s@<>()\[\],;:"\\]+@[^\s@<>()\[\],;:"\\.]+(\.[^\s@<>()\[\],;:"\\.]+)*')


def key_of(email: str) -> str:
    """Return the key that all ways of writing one address share: case and composition, and the domain as DNS has it."""
    local, _, domain = unicodedata.normalize("NFC", email).rpartition("@")
    with suppress(UnicodeError):  # of a name that DNS could not hold, which is still the same as itself
        domain = domain.encode("idna").decode("ascii")
    return f"{local.casefold()}@{domain.casefold()}"


def masked(email: str) -> str:
    """An address by which whoever knows it recognises it, and nobody else learns it: m…@example.org."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain}"


class Base(DeclarativeBase):
    """The tables of membership."""

    metadata = types.metadata()
    type_annotation_map = types.COLUMN_TYPES


#: How many mails each token brought about today by letting people belong: one for each.
MAILS_SPENT = quota.table(Base.metadata)


class Organization(Base):
    """A body whose people take part in communities."""

    __tablename__ = "organization"

    organization_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_AT_MOST))
    region: Mapped[str] = mapped_column(String(NAME_AT_MOST))
    sector: Mapped[str] = mapped_column(String(NAME_AT_MOST))
    size_band: Mapped[str] = mapped_column(String(NAME_AT_MOST))
    version: Mapped[int]

    def check(self, errors: ValidationErrors) -> None:
        """Say what cannot be kept."""
        errors.check_line("/name", self.name, mailed=True)
        for field in ("region", "sector", "size_band"):
            errors.check_line(f"/{field}", getattr(self, field), required=False)


class Community(Base):
    """A group that shares a field and meets regularly."""

    __tablename__ = "community"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_AT_MOST))
    purpose: Mapped[str] = mapped_column(Text)
    kind: Mapped[CommunityKind]
    locale: Mapped[Locale]
    timezone: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]

    def check(self, errors: ValidationErrors) -> None:
        """Say what cannot be kept."""
        errors.check_line("/name", self.name, mailed=True)
        errors.check_text("/purpose", self.purpose)

    def events_of(self, put: Put["Community"]) -> list[Event]:
        """Return the events of a PUT of this community: its traits publicly, its words privately."""
        events: list[Event] = []
        if put.is_new:
            events.append(self._traits(CommunityFounded))
        elif put.changed & {"kind", "locale", "timezone"}:
            events.append(self._traits(CommunityChanged))
        if put.is_new or put.changed - {"kind"}:
            events.append(CommunityDescribed.of(self, community_ids=(self.community_id,)))
        return events

    def _traits(self, event_class: type[CommunityFounded] | type[CommunityChanged]) -> Event:
        return event_class.of(self, community_ids=(self.community_id,))


class Member(Base):
    """A person. No other has the same address: whoever reads it answers surveys once."""

    __tablename__ = "member"

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_AT_MOST))
    email: Mapped[str] = mapped_column(String(EMAIL_AT_MOST))
    #: Null where another had the address already when this column came, until their next change, which must mend it.
    email_key: Mapped[str | None] = mapped_column(String(EMAIL_AT_MOST), index=True, unique=True)
    locale: Mapped[Locale]
    timezone: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]

    def check(self, errors: ValidationErrors) -> None:
        """Say what cannot be kept."""
        errors.check_line("/name", self.name, mailed=True)
        if len(key_of(self.email)) > EMAIL_AT_MOST:
            errors.add("/email", f"An e-mail address has at most {EMAIL_AT_MOST} characters.")
        elif not _EMAIL.fullmatch(self.email) or any(map(is_control, self.email)) or has_hidden(self.email):
            errors.add("/email", "That is no e-mail address; write one, such as amina@example.org, and nothing else.")

    def events_of(self, put: Put["Member"]) -> list[Event]:
        """Return the events of a PUT of this person: publicly that there is one more, privately the contact data."""
        former = put.former.get("email")
        former_email = former if former and key_of(former) != key_of(self.email) else None
        registered = MemberRegistered.of(self, community_ids=())
        contact = MemberContactChanged.of(self, community_ids=(), former_email=former_email)
        if put.is_new:
            return [registered, contact]
        return [] if put.is_unchanged else [contact]


class Membership(Base):
    """A membership: a person in a community, on behalf of an organisation or of nobody."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("community_id", "member_id"),)

    membership_id: Mapped[UUID] = mapped_column(primary_key=True)
    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.community_id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"), index=True)
    capacity: Mapped[Capacity]
    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organization.organization_id"), index=True)
    ended_at: Mapped[datetime | None]  # the row stays, and is taken up again by who joins again
    version: Mapped[int]

    @staticmethod
    def id_of(community_id: UUID, member_id: UUID) -> UUID:
        """The id of this person's membership in this community: always the same."""
        return uuid5(community_id, str(member_id))

    def check(self, errors: ValidationErrors, community: Community) -> None:
        """Say what cannot be kept: a representative has an organisation, an individual has none."""
        if self.capacity is Capacity.INDIVIDUAL and self.organization_id is not None:
            errors.add("/organization_id", "An individual represents nobody; leave organization_id out.")
        if self.capacity is Capacity.REPRESENTATIVE and self.organization_id is None:
            errors.add("/organization_id", "A representative needs the organization_id of whom they represent.")
        if self.capacity is Capacity.REPRESENTATIVE and community.kind is CommunityKind.INDIVIDUALS:
            errors.add("/capacity", "This community is one of individuals; take part in it as an individual.")

    def audited(self) -> dict[str, str | None]:
        """Return the membership as the audit keeps it."""
        return {
            "community_id": str(self.community_id),
            "member_id": str(self.member_id),
            "capacity": self.capacity.value,
            "organization_id": str(self.organization_id) if self.organization_id else None,
        }

    def end(self, at: datetime, reason: EndReason) -> list[Event]:
        """Let the membership end; nothing if it has."""
        if self.ended_at is not None:
            return []
        self.ended_at = at
        self.version += 1
        return [MembershipEnded.of(self, community_ids=(self.community_id,), reason=reason)]

    def activated(self) -> MembershipActivated:
        """Return the event of an active membership."""
        return MembershipActivated.of(self, community_ids=(self.community_id,))


class CommunitySet(Base):
    """A named set of communities, such as a region's, over which roles are given."""

    __tablename__ = "community_set"

    set_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_AT_MOST))
    community_ids: Mapped[list[UUID]]
    version: Mapped[int]

    def check(self, errors: ValidationErrors) -> None:
        """Say what cannot be kept."""
        errors.check_line("/name", self.name)

    def audited(self) -> dict[str, Any]:
        """Return the set as the audit keeps it."""
        return {"name": self.name, "community_ids": [str(each) for each in self.community_ids]}


class RoleAssignment(Base):
    """A role of a person, over a community, over a set of them, or over the network; the row stays when it ends."""

    __tablename__ = "role_assignment"
    __table_args__ = (UniqueConstraint("community_id", "member_id", "role"),)

    assignment_id: Mapped[UUID] = mapped_column(primary_key=True)
    community_id: Mapped[UUID | None] = mapped_column(ForeignKey("community.community_id"))
    set_id: Mapped[UUID | None] = mapped_column(ForeignKey("community_set.set_id"), index=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"), index=True)
    role: Mapped[Role]
    assigned_at: Mapped[datetime]
    begins_at: Mapped[datetime | None]  # null: when it was given
    ends_at: Mapped[datetime | None]  # by itself; null: not before somebody ends it
    ended_at: Mapped[datetime | None]
    has_begun: Mapped[bool] = mapped_column(default=True, server_default=true())
    version: Mapped[int]

    @staticmethod
    def id_of(community_id: UUID, member_id: UUID, role: Role) -> UUID:
        """The id of this role of this person in this community: always the same."""
        return uuid5(Membership.id_of(community_id, member_id), role.value)

    @staticmethod
    def id_over(set_id: UUID | None, member_id: UUID, role: Role) -> UUID:
        """Return the id of this role of this person over this set, or over the network: always the same."""
        return uuid5(member_id, f"{role.value} over {set_id or 'the network'}")

    @property
    def is_told(self) -> bool:
        """Return whether subscribers know it to be in force."""
        return self.has_begun and self.ended_at is None

    def check(self, errors: ValidationErrors, now: datetime) -> None:
        """Say what cannot be."""
        if self.role is Role.NETWORK_ADMIN and (self.community_id or self.set_id):
            errors.add("/role", "A network_admin is one of the whole network; choose another role for a part of it.")
        if self.ends_at is not None and self.ends_at <= max(self.begins_at or now, now):
            errors.add("/ends_at", "It would end before it begins, or has ended already; give a later end, or none.")

    def audited(self) -> dict[str, str]:
        """Return the role assignment as the audit keeps it."""
        scope = {"community_id": self.community_id, "set_id": self.set_id}
        told = {name: str(each) for name, each in scope.items() if each}
        told |= {"member_id": str(self.member_id), "role": self.role.value}
        times = {"begins_at": self.begins_at, "ends_at": self.ends_at}
        return told | {name: each.isoformat() for name, each in times.items() if each}

    def take_over(self, said: "RoleAssignment") -> bool:
        """Take over beginning and end; begin anew if it had ended. False if nothing is otherwise."""
        names = ("begins_at", "ends_at", "has_begun")
        if self.ended_at is None and all(getattr(self, name) == getattr(said, name) for name in names):
            return False
        if self.ended_at is not None:
            self.assigned_at, self.ended_at = said.assigned_at, None
        for name in names:
            setattr(self, name, getattr(said, name))
        self.version += 1
        return True

    def as_event(
        self, event_class: type[RoleAssigned] | type[RoleEnded], community_id: UUID
    ) -> RoleAssigned | RoleEnded:
        """Return what is told of it for one community. Over more than one, it has an id of its own in each."""
        is_of_one = self.community_id is not None
        return event_class(
            assignment_id=self.assignment_id if is_of_one else uuid5(self.assignment_id, str(community_id)),
            community_id=community_id,
            community_ids=(community_id,),
            member_id=self.member_id,
            role=self.role,
            version=self.version,
        )
