"""People who are signed in: from the cookie of a request to the person, their name, language, roles and communities."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from werkzeug.wrappers import Request, Response

from chassis.actor import NETWORK, Actor, acting
from chassis.settings import Settings
from gateway.auth import actor_of_member
from gateway.cache import Cache
from gateway.forgery import SAFE, FormTokens, check_origin
from gateway.routes import Call
from gateway.sessions import SESSION_LASTS, SessionStore
from pratique.errors import Forbidden, NotFound, Unauthenticated
from pratique.events.membership import Locale
from pratique.requests.membership import GetAuthority


class Nobody(Forbidden):
    """The session is that of a person whom the network does not know any more; it was ended."""


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """A person who is signed in, as membership knew them at most five seconds ago."""

    member_id: UUID
    session_id: str
    name: str
    locale: Locale
    timezone: str
    roles: tuple[Mapping[str, Any], ...]  #: those in force: role, and community_ids, None for the whole network
    community_ids: tuple[str, ...]  #: to which they belong
    form_token: str  #: for each form of their pages
    actor: Actor  #: as services know them


class Visitors:
    """Recognises people by their cookies."""

    def __init__(self, call: Call, sessions: SessionStore, settings: Settings) -> None:
        self._call, self._sessions, self._settings = call, sessions, settings
        self.tokens = FormTokens(settings)
        self._seen = Cache(self._read)

    @property
    def cookie(self) -> str:
        """The cookie's name. Where it travels encrypted, browsers keep it to this host by its prefix."""
        return "pratique_session" if self._settings.is_embedded else "__Host-pratique_session"

    def cookie_of(self, request: Request) -> str:
        """Return the cookie of a request; empty without one."""
        return request.cookies.get(self.cookie, "")

    def give_cookie(self, response: Response, value: str) -> None:
        """Let the browser keep this cookie, or forget what it has if the value is empty."""
        response.set_cookie(
            self.cookie,
            value,
            max_age=SESSION_LASTS if value else 0,
            path="/",
            secure=not self._settings.is_embedded,
            httponly=True,
            samesite="Lax",
        )

    def admit(self, request: Request) -> Visitor:
        """Return the person who asks; what changes something must come from a page of theirs.

        Raises:
            Unauthenticated: nobody is signed in here.
            Nobody: the person is unknown by now.
            Forged: another site sent the form, or a page of another session.
            Unavailable: membership does not answer.
        """
        session = self._sessions.find(self.cookie_of(request))
        if session is None:
            raise Unauthenticated("Nobody is signed in in this browser.")
        if request.method not in SAFE:
            check_origin(request, self._settings.public_url)
            self.tokens.check(request, session.session_id)
        known = self.authority_of(session.member_id)
        return Visitor(
            member_id=session.member_id,
            session_id=session.session_id,
            name=known["name"],
            locale=Locale(known["locale"]),
            timezone=known["timezone"],
            roles=tuple(known["roles"]),
            community_ids=tuple(known["community_ids"]),
            form_token=self.tokens.of(session.session_id),
            actor=actor_of_member(known),
        )

    def authority_of(self, member_id: UUID) -> Mapping[str, Any]:
        """Return what membership answers to ``GetAuthority``, at most five seconds old.

        Raises:
            Nobody: the person is unknown by now; their sessions have ended.
            Unavailable: membership does not answer.
        """
        known = self._seen.get(member_id)
        if known is None:
            self._sessions.end_all(member_id)
            raise Nobody("The network does not know this person any more.")
        return known

    def forget(self, member_id: UUID) -> None:
        """Ask membership anew when this person asks next: they have just changed what they may do."""
        self._seen.forget(member_id)

    def _read(self, member_id: UUID) -> Mapping[str, Any] | None:
        try:
            with acting(NETWORK):  # who a person is, the gateway asks on its own behalf
                known: Mapping[str, Any] = self._call(
                    GetAuthority.service, GetAuthority.method, {"member_id": str(member_id)}
                )
        except NotFound:
            return None
        return known
