"""Authentication of callers: bearer tokens of machines, stored hashed, each with what it was given, and where.

A token reads ``prt_<id>_<secret>``. The id finds the row; the secret has 256 bits and is shown once.
"""

import functools
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.actor import Actor
from chassis.storage import audit
from chassis.storage.store import Store
from gateway.cache import SIZE, Cache
from gateway.hashes import hash_of, is_right
from gateway.models import ApiToken
from pratique.errors import Forbidden, Invalid, NotFound, Unauthenticated
from pratique.events.membership import Role
from pratique.permissions import EVERYTHING as ALL
from pratique.permissions import MEMBER_PERMISSIONS, SENTENCES, Grant, Permission, completed

#: Every scope that a route can ask for, and what it lets its principal do.
SCOPES: Mapping[str, str] = {each.value: words for each, words in SENTENCES.items()}
EVERYTHING = "*"  #: the scope that contains all others

_TOKEN = re.compile(r"prt_(?P<id>[0-9a-f]{12})_(?P<secret>[A-Za-z0-9_-]{43})")


def create_token(
    session: Session,
    name: str,
    scopes: Sequence[str] = (),
    expires_at: datetime | None = None,
    *,
    role: str | None = None,
    community_ids: Sequence[UUID] = (),
) -> str:
    """There is one more token; its text is returned now and can never be shown again.

    It may do what its scopes and its role say, over these communities; over the whole network, where there are none.

    Raises:
        Invalid: no name, neither scope nor role, one that does not exist, or the network's own role for a part of it.
    """
    _check(name, scopes, role, community_ids)
    token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    limits = sorted({str(each) for each in community_ids}) or None
    told: dict[str, Any] = {"name": name.strip(), "scopes": sorted(set(scopes))}
    session.add(
        ApiToken(
            **told,
            token_id=token_id,
            secret_sha256=hash_of(secret),
            role=role,
            community_ids=limits,
            created_at=clock.now(),
            expires_at=expires_at,
            revoked_at=None,
            last_used_on=None,
        )
    )
    session.flush()
    audit.prune(session)
    audit.record(session, "token.created", token_id, after=told | _limits_of(role, limits))
    return f"prt_{token_id}_{secret}"


def _check(name: str, scopes: Sequence[str], role: str | None, community_ids: Sequence[UUID]) -> None:
    unknown = sorted(set(scopes) - {*SCOPES, EVERYTHING})
    if unknown or not (scopes or role):
        words = f"There is no scope {unknown[0]!r}." if unknown else "A token without a scope or a role opens nothing."
        raise Invalid(f"{words} Choose from {', '.join([*SCOPES, EVERYTHING])}.", {"/scopes": "unknown or missing"})
    if role is not None and role not in tuple(Role):
        raise Invalid(f"There is no role {role!r}. Choose from {', '.join(Role)}.", {"/role": "unknown"})
    if community_ids and (role == Role.NETWORK_ADMIN or EVERYTHING in scopes):
        words = "A network_admin, and the scope *, are of the whole network; leave the communities out."
        raise Invalid(words, {"/community_ids": words})
    if not 0 < len(name.strip()) <= 100:
        raise Invalid("Give the token a name of at most 100 characters that says whose it is.", {"/name": "missing"})


def _limits_of(role: str | None, community_ids: Sequence[str] | None) -> dict[str, Any]:
    """Return what the audit says of a token that has a role or is limited; nothing of one that is not."""
    limits = {"role": role, "community_ids": community_ids}
    return {name: each for name, each in limits.items() if each is not None}


def list_tokens(session: Session) -> Sequence[ApiToken]:
    """Every token there ever was, oldest first; revoked and expired ones too."""
    return session.scalars(select(ApiToken).order_by(ApiToken.created_at, ApiToken.token_id)).all()


def revoke_token(session: Session, token_id: str) -> ApiToken:
    """The token opens nothing any more, within 5 s everywhere. Revoking twice changes nothing.

    Raises:
        NotFound: no token has this id; ``pratique token list`` shows the ids.
    """
    token = session.get(ApiToken, token_id)
    if token is None:
        raise NotFound(f"No token has the id {token_id[:40]!r}; list the tokens to see their ids.")
    if token.revoked_at is None:
        token.revoked_at = clock.now()
        before = {"name": token.name, "scopes": token.scopes} | _limits_of(token.role, token.community_ids)
        audit.record(session, "token.revoked", token_id, before=before)
    return token


@dataclass(frozen=True)
class Principal:
    """The caller of a request, as far as their token tells."""

    token_id: str
    scopes: frozenset[str]
    name: str = ""  #: as the operator called the token
    role: str | None = None
    community_ids: frozenset[UUID] | None = None  #: to which it is limited; None: the whole network

    def __str__(self) -> str:
        """As the audit names it."""
        return f"token {self.token_id} {self.name}".rstrip()

    @property
    def actor(self) -> Actor:
        """Return this principal as services know it."""
        return _actor_of(self)

    def may(self, scope: str, *, is_of_network: bool = False) -> bool:
        """Return whether the token has this scope, or one that contains it, somewhere or over the whole network."""
        permission = Permission(scope)
        return self.actor.may(permission, ()) if is_of_network else self.actor.may_somewhere(permission)

    def require(self, scope: str, *, is_of_network: bool = False) -> None:
        """Let only a principal with this scope pass, somewhere or over the whole network.

        Raises:
            Forbidden: the token lacks the scope, which the message names.
        """
        if not self.may(scope, is_of_network=is_of_network):
            raise Forbidden(f"This token lacks the scope {scope}; ask the operator for one that has it.")


@functools.lru_cache(maxsize=SIZE)
def _actor_of(principal: Principal) -> Actor:
    scopes, limits = principal.scopes, principal.community_ids
    known = [Permission(each) for each in scopes if each in SCOPES]
    grants = [Grant(ALL if EVERYTHING in scopes else completed(known), limits)] if scopes else []
    if principal.role is not None:
        grants.append(Grant.of_role(principal.role, limits))
    return Actor(str(principal), tuple(grants))


def actor_of_member(authority: Mapping[str, Any]) -> Actor:
    """Return a person as services know them, from what membership answers to ``GetAuthority``.

    A role that this version does not know gives nothing. Belonging to a community gives a little, without any role.
    """
    member_id = UUID(authority["member_id"])
    grants = [
        Grant.of_role(held["role"], _uuids(held["community_ids"]), map(UUID, held.get("set_ids", ())))
        for held in authority["roles"]
    ]
    if belongs := _uuids(authority["community_ids"]):
        grants.append(Grant(MEMBER_PERMISSIONS, frozenset(belongs)))
    return Actor(f"member {member_id}", tuple(grants), member_id)


def _uuids(ids: Sequence[str] | None) -> list[UUID] | None:
    return None if ids is None else [UUID(each) for each in ids]


class TokenStore:
    """The tokens that are kept, by which callers are authenticated; each is read at most once in five seconds."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._seen = Cache(self._read)

    def authenticate(self, authorization: str) -> Principal:
        """Return whoever sent this ``Authorization`` header.

        Raises:
            Unauthenticated: there is none, or it names no token that is valid now. Which of the two is not told.
        """
        scheme, _, credentials = authorization.partition(" ")
        parts = _TOKEN.fullmatch(credentials.strip())
        if scheme.lower() != "bearer" or not parts:
            raise Unauthenticated("Send Authorization: Bearer with a token that `pratique token create` made.")
        token = self._seen.get(parts["id"])
        is_ours = is_right(parts["secret"], token.secret_sha256 if token else None)
        if token is None or not is_ours or not token.is_valid(clock.now()):
            raise Unauthenticated("This token is unknown, expired or revoked; ask the operator for a new one.")
        limits = _uuids(token.community_ids)
        return Principal(
            token.token_id,
            frozenset(token.scopes),
            token.name,
            token.role,
            None if limits is None else frozenset(limits),
        )

    def _read(self, token_id: str) -> ApiToken | None:
        now = clock.now()
        with self.store.begin() as session:
            token = session.get(ApiToken, token_id)
            if token is not None and token.is_valid(now) and token.last_used_on != now.date():
                token.last_used_on = now.date()
        return token
