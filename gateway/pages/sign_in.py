"""Signing in: an address is typed, a link is mailed, and a button behind it begins a session.

Nobody learns from it who has an account: the answer is the same, and given before anybody is looked for.
"""

import logging
import re
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from marshmallow import ValidationError
from werkzeug.wrappers import Response

from chassis.actor import NETWORK, acting
from chassis.http.problems import record
from chassis.sealing import BrokenSeal
from chassis.storage.store import StoreAway
from gateway.forgery import Forged, check_origin
from gateway.limits import Allowance, client_address
from gateway.pages import survey
from gateway.pages.render import message, page
from gateway.reading import read_host
from gateway.routes import Media, RequestContext, Route
from pratique.errors import DomainError, Forbidden, NotFound, TooManyTries
from pratique.requests.membership import ListMembers, MemberQuery
from pratique.requests.notifications import MailSignInLink
from words.catalogue import N_, sentences

if TYPE_CHECKING:
    from gateway.app import App

log = logging.getLogger(__name__)

ASKED_BY_CLIENT = 30  #: links that one client address may ask for in ten minutes: a whole office has one
MAILED = 3  #: links that are mailed to one person in a quarter of an hour; who asks for more is answered the same
MAX_EMAIL = 254  #: characters
MAX_NEXT = 200  #: characters of the page that asked somebody to sign in
HOME = "/home"

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
#: What browsers say of themselves, and what that is called: the first that is found names it, for its owner to know it.
_BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "Firefox": "Firefox", "FxiOS": "Firefox", "CriOS": "Chrome"}
_BROWSERS |= {"Chrome": "Chrome", "Safari": "Safari"}
_SYSTEMS = {"iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "Mac OS": "Mac"}
_SYSTEMS |= {"CrOS": "ChromeOS", "Linux": "Linux"}


class Limits:
    """How many links may be asked for; counted in the memory of this process, by client address and by member id."""

    def __init__(self) -> None:
        self.asked = Allowance(ASKED_BY_CLIENT, timedelta(minutes=10))
        self.mailed = Allowance(MAILED, timedelta(minutes=15))


def ask_address(context: RequestContext) -> Response:
    """Ask for the address to which a link is to be mailed."""
    return _form(context, "", context.request.args.get("next", ""))


def send_link(context: RequestContext) -> Response:
    """Say that a link is on its way if the address is known; whether it is, is found out after that."""
    request, app = context.request, context.app
    check_origin(request, app.settings.public_url)
    typed, leads_to = request.form.get("email", "").strip()[: MAX_EMAIL + 1], request.form.get("next", "")
    if "switch" in request.form:
        return _form(context, typed, leads_to)
    try:
        MemberQuery.read({"email": typed})
    except ValidationError:
        return _form(context, typed, leads_to, 422)
    if not app.sign_in_limits.asked.take(client_address(request, app.settings.trusted_proxies)):
        response = message("sign_in_tries", context.locale, 429)
        response.headers["Retry-After"] = "600"
        return response
    app.later(_mail_link, app, typed, _own_page(app, leads_to))
    return page("sign_in_sent", context.locale, title=sentences(context.locale)(N_("Check your email")), email=typed)


def show_link(context: RequestContext) -> Response:
    """Show the button that signs in. Looking spends nothing: mail scanners follow links too."""
    if not context.app.sessions.is_link(context.path["token"]):
        return _no_link(context)
    return page("sign_in_confirm", context.locale, title=sentences(context.locale)(N_("Sign in here")))


def sign_in(context: RequestContext) -> Response:
    """Spend the link, begin a session in this browser, and lead to the page that asked for it, or home."""
    request, app = context.request, context.app
    check_origin(request, app.settings.public_url)
    former = app.visitors.cookie_of(request)
    begun = app.sessions.spend_link(context.path["token"], browser_of(request.headers.get("User-Agent", "")), former)
    if begun is None:
        return _no_link(context)
    cookie, leads_to = begun
    return _entered(context, cookie, leads_to or HOME)


def sign_in_as(context: RequestContext) -> Response:
    """Sign in whom this link of the embedded mode names, as often as it is opened, on this machine alone."""
    request, app = context.request, context.app
    if read_host(request) not in _LOOPBACK:
        raise NotFound("There is nothing here.")
    try:
        (member_id,) = app.settings.seal.read_link("sign-in", context.path["token"])
    except (BrokenSeal, ValueError) as error:
        raise NotFound("There is nothing here.") from error
    cookie = app.sessions.begin(member_id, browser_of(request.headers.get("User-Agent", "")))
    return _entered(context, cookie, HOME)


def refuse(context: RequestContext, error: DomainError) -> Response:
    """The page that tells this error to a person."""
    if isinstance(error, Forged):
        return message("visit_forged", context.locale, 403, way_on="/sign-in")
    if isinstance(error, NotFound):
        return _no_link(context)
    return survey.refuse(context, error)


def browser_of(agent: str) -> str:
    """Return what a browser says of itself in two words, such as "Firefox, Linux"; empty if it says nothing known."""
    names = (next((name for sign, name in known.items() if sign in agent), "") for known in (_BROWSERS, _SYSTEMS))
    return ", ".join([name for name in names if name])


def _form(context: RequestContext, typed: str, leads_to: str, status: int = 200) -> Response:
    return page(
        "sign_in",
        context.locale,
        status,
        title=sentences(context.locale)(N_("Sign in")),
        typed=typed,
        leads_to=_own_page(context.app, leads_to),
        wrong=status != 200,
    )


def _no_link(context: RequestContext) -> Response:
    """Tell that this link is no use; whether it was spent, expired or never made is not told."""
    return message("sign_in_spent", context.locale, 404, way_on="/sign-in")


def _entered(context: RequestContext, cookie: str, leads_to: str) -> Response:
    response = Response(status=303, headers={"Location": leads_to})
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    context.app.visitors.give_cookie(response, cookie)
    return response


def _own_page(app: "App", asked: str) -> str:
    """Return the page, if it is one of ours for people who are signed in; else nothing. No link leads elsewhere."""
    parts = urlsplit(asked) if len(asked) <= MAX_NEXT and re.fullmatch(r"/[\w./?&=%~+,:@-]*", asked, re.ASCII) else None
    if parts is None or parts.scheme or parts.netloc or not app.is_page_of_people(parts.path):
        return ""
    return asked


def _mail_link(app: "App", email: str, leads_to: str) -> None:
    """Have a link mailed to whoever has this address, as it is recorded; nothing where nobody has it."""
    with acting(NETWORK):
        _try_to_mail(app, email, leads_to)


def _try_to_mail(app: "App", email: str, leads_to: str) -> None:
    """Do so; what fails is told to the log, without the address."""
    try:
        for member in app.call(ListMembers.service, ListMembers.method, {"email": email})["rows"]:
            if not app.sign_in_limits.mailed.take(member["member_id"]):
                continue
            token, expires_at = app.sessions.create_link(UUID(member["member_id"]), leads_to)
            link = {"link_id": str(uuid4()), "member_id": member["member_id"], "token": token}
            payload = {**link, "expires_at": expires_at.isoformat()}
            app.call(MailSignInLink.service, MailSignInLink.method, payload)
    except (DomainError, StoreAway) as error:
        log.warning("a link to sign in could not be mailed: %s", type(error).__name__)
    except Exception as error:  # noqa: BLE001  (nobody waits for it any more; the log is told)
        record(error)


ROUTES = tuple(
    Route(
        method,
        path,
        summary,
        act=act,
        operation=act.__name__,
        status=303 if act is sign_in else 200,
        problems=problems,
        media=Media.HTML,
        refuse=refuse,
    )
    for method, path, summary, act, problems in (
        ("GET", "/sign-in", "Ask for the address to which a sign-in link is mailed", ask_address, ()),
        ("POST", "/sign-in", "Have a sign-in link mailed", send_link, (Forbidden, TooManyTries)),
        ("GET", "/sign-in/<token>", "Show the button of a sign-in link", show_link, ()),
        ("POST", "/sign-in/<token>", "Sign in by a link that was mailed", sign_in, (Forbidden,)),
    )
)
#: For whoever tries it on their machine.
EMBEDDED_ROUTES = (
    Route(
        "GET",
        "/sign-in/as/<token>",
        "Sign in as one of the sample's people, in the embedded mode",
        act=sign_in_as,
        operation=sign_in_as.__name__,
        status=303,
        media=Media.HTML,
        refuse=refuse,
    ),
)
