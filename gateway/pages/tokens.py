"""Tokens of programs, for whoever administers the network: which there are, making one, and revoking it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from marshmallow.validate import Length
from werkzeug.wrappers import Response

from chassis import clock
from gateway import auth
from gateway.models import ApiToken
from gateway.pages.forms import Form
from gateway.pages.frame import framed, led_to
from gateway.pages.roles import OFFERED, role_name
from gateway.pages.visits import visitor_route
from gateway.routes import RequestContext
from pratique.errors import Forbidden, Invalid
from pratique.events.membership import Role
from pratique.fields import Doc
from pratique.permissions import Permission
from pratique.request import Body
from words.catalogue import N_, sentences
from words.order import in_order

SHOWN = 40  #: tokens on a page

_LABELS: Mapping[str, str] = {
    "name": N_("Whose it is"),
    "role": N_("Role"),
    "community_ids": N_("Communities"),
    "expires_at": N_("Last day"),
}


class NewToken(Body):
    """A token to be made for a program."""

    name: Annotated[str, Length(1, 100), Doc("Whose it is.")]
    role: Annotated[Role, Doc("What it may do.")]
    community_ids: Annotated[tuple[UUID, ...], Length(0, 5000), Doc("Over which communities; all, if none.")] = ()
    expires_at: Annotated[datetime | None, Doc("When it ends by itself.")] = None


def show_tokens(context: RequestContext) -> Response:
    """Show the tokens, those in use first, and a form to make one."""
    _check_admin(context)
    return _page(context, Form.of(NewToken, {}, context.locale, context.person.timezone))


def make_token(context: RequestContext) -> Response:
    """Make a token and show its text, this once."""
    _check_admin(context)
    sent = context.request.form.copy()
    if sent.get("expires_at.day"):
        sent["expires_at.hour"] = "23:59"
    form = Form.sent(NewToken, sent, context.locale, context.person.timezone)
    said = form.read()
    if said is not None:
        text = _made(context, form, NewToken.schema.load(said))
        if text:
            return _page(context, Form.of(NewToken, {}, context.locale, context.person.timezone), text)
    return _page(context, form, status=422)


def revoke_token(context: RequestContext) -> Response:
    """Revoke a token: within seconds it opens nothing. Revoking twice changes nothing.

    Raises:
        NotFound: there is no such token.
    """
    _check_admin(context)
    with context.app.store.begin() as session:
        auth.revoke_token(session, context.path["token_id"])
    return led_to("/admin/tokens?told=revoked", context)


def _made(context: RequestContext, form: Form, token: Any) -> str:
    """The text of the new token; empty if something is wrong, which the form says."""
    _, said = sentences(context.locale), token if isinstance(token, Mapping) else vars(token)
    role, community_ids, expires_at = said["role"], said.get("community_ids") or (), said.get("expires_at")
    if expires_at is not None and expires_at <= clock.now():
        form.errors["expires_at"] = _("Choose a day to come, or none.")
    if role == Role.NETWORK_ADMIN and community_ids:
        form.errors["community_ids"] = _("This role is of the whole network: choose no community.")
    if len(context.app.communities.of(map(str, community_ids))) != len(set(community_ids)):
        form.errors["community_ids"] = _("Choose one of those offered.")
    if form.errors:
        return ""
    try:
        with context.app.store.begin() as session:
            return auth.create_token(session, said["name"], (), expires_at, role=role, community_ids=community_ids)
    except Invalid as error:
        form.refuse(error)
        return ""


def _check_admin(context: RequestContext) -> None:
    if not context.actor.may(Permission.TOKENS_WRITE, []):
        raise Forbidden("Tokens are made and revoked by whoever administers the network.")


def _page(context: RequestContext, form: Form, text: str = "", status: int = 200) -> Response:
    _, now, asked = sentences(context.locale), clock.now(), context.request.args.get("from", "")
    with context.app.store.begin(is_reading=True) as session:
        rows = sorted(
            auth.list_tokens(session), key=lambda each: (not each.is_valid(now), -each.created_at.timestamp())
        )
        first = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0
        tokens = [_shown(context, each, now) for each in rows[first : first + SHOWN]]
    communities = in_order(context.app.communities.all().values(), lambda each: str(each["name"]))
    shown = {
        "tokens": tokens,
        "following": first + SHOWN if first + SHOWN < len(rows) else None,
        "form": form,
        "labels": {name: _(label) for name, label in _LABELS.items()},
        "roles": [(each, role_name(each, context.locale)) for each in OFFERED],
        "communities": [(each["community_id"], each["name"]) for each in communities],
        "secret": text,
        "told": context.request.args.get("told", ""),
        "is_error": form.is_wrong,
    }
    return framed(context, "tokens", _("Tokens"), status, **shown)


def _shown(context: RequestContext, token: ApiToken, now: datetime) -> dict[str, Any]:
    known = context.app.communities.of(token.community_ids or ())
    return {
        "token_id": token.token_id,
        "name": token.name,
        "may": [role_name(token.role, context.locale)] if token.role else list(token.scopes),
        "over": in_order([str(each["name"]) for each in known.values()], str) if token.community_ids else None,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "last_used_on": token.last_used_on,
        "is_valid": token.is_valid(now),
    }


ROUTES = (
    visitor_route("GET", "/admin/tokens", "Show the tokens of programs", show_tokens),
    visitor_route("POST", "/admin/tokens", "Make a token for a program", make_token),
    visitor_route("POST", "/admin/tokens/<token_id>/revoke", "Revoke the token of a program", revoke_token, status=303),
)
