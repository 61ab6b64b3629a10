"""Pages that say what this is and what one can rely on: help, confidentiality, accessibility."""

from werkzeug.wrappers import Response

from gateway.pages.render import page
from gateway.pages.survey import page_route
from gateway.reading import read_locale
from gateway.routes import RequestContext
from words.catalogue import N_, sentences


def show_help(context: RequestContext) -> Response:
    """Say how to take part, and whom to ask."""
    return _page(context, "help", N_("Help"))


def show_privacy(context: RequestContext) -> Response:
    """Say plainly what anonymous means here, and what it does not."""
    return _page(context, "privacy", N_("What anonymous means here"))


def show_accessibility(context: RequestContext) -> Response:
    """Say for whom these pages are made, and where to tell that something is in the way."""
    return _page(context, "accessibility", N_("Accessibility"))


def _page(context: RequestContext, template: str, title: str) -> Response:
    locale, settings = read_locale(context.request), context.app.settings
    limits = {"k_scores": settings.k_scores, "k_comments": settings.k_comments}
    return page(template, locale, title=sentences(locale)(title), **limits)


ROUTES = (
    page_route("GET", "/help", "Say how to take part, and whom to ask", show_help),
    page_route("GET", "/privacy", "Say what anonymous means", show_privacy),
    page_route("GET", "/accessibility", "Say how these pages can be used", show_accessibility),
)
