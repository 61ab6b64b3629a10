"""Errors as a person with a browser meets them: a page in their language, with a way on, and never JSON."""

from werkzeug.wrappers import Request, Response

from chassis.http.problems import CONTENT_TYPE as PROBLEM
from gateway.pages.render import message
from gateway.reading import read_locale
from gateway.routes import Media

#: Which sentence tells a status; "refused" tells the others.
_SENTENCES = {401: "programs", 403: "programs", 404: "lost", 405: "lost", 429: "tries", 500: "broken", 503: "away"}
_KEPT = ("Allow", "Retry-After", "WWW-Authenticate")  #: headers that say what to do


def is_for_person(request: Request, response: Response) -> bool:
    """Return whether this is a problem in JSON, and whoever asked would rather have a page: a browser says so."""
    if response.mimetype != PROBLEM or "text/html" not in request.headers.get("Accept", ""):
        return False
    return request.accept_mimetypes.best_match([Media.JSON, Media.HTML]) == Media.HTML


def as_page(request: Request, problem: Response) -> Response:
    """Return the page that tells a problem, with its status."""
    status = problem.status_code
    told = problem.get_json() if status == 500 else {}
    incident = str(told.get("instance", "")).removeprefix("urn:uuid:")
    sentence = _SENTENCES.get(status, "refused")
    response = message(sentence, read_locale(request), status, incident=incident, home=True)
    response.headers.update({name: problem.headers[name] for name in _KEPT if name in problem.headers})
    return response
