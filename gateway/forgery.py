"""Defence against cross-site requests: a form counts only if a page of ours sent it, from the same session.

Two checks (OWASP): browsers say where a request comes from (``Sec-Fetch-Site``, else ``Origin``), and each form of a
signed-in page carries a token that is signed and bound to the session.
"""

import hashlib
from urllib.parse import urlsplit

from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Request

from chassis.settings import Settings
from gateway.sessions import SESSION_LASTS
from pratique.errors import Forbidden

FIELD = "form_token"  #: of each form on a signed-in page
SAFE = ("GET", "HEAD", "OPTIONS")  #: methods that change nothing


class Forged(Forbidden):
    """The form does not come from a page of this session; nothing was changed."""


def check_origin(request: Request, public_url: str) -> None:
    """Let only pass what a page of ours sent, or what no browser says where it comes from.

    ``Origin: null`` says nothing: browsers send it of pages that tell nobody their address, as ours do.

    Raises:
        Forged: another site sent it.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise Forged("This form was sent by another site.")
        return
    origin = request.headers.get("Origin", "null")
    if origin != "null" and urlsplit(origin).netloc.lower() not in (request.host, urlsplit(public_url).netloc.lower()):
        raise Forged("This form was sent by another site.")


class FormTokens:
    """Makes and checks the tokens of forms."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._signer: URLSafeTimedSerializer | None = None  # made when it is needed: the embedded key may not be there

    def of(self, session_id: str) -> str:
        """Return a token for the forms of this session."""
        return str(self._serializer.dumps(session_id))

    def check(self, request: Request, session_id: str) -> None:
        """Let only pass what carries a token of this session.

        Raises:
            Forged: it carries none, or another's.
        """
        try:
            signed_for = self._serializer.loads(request.form.get(FIELD, ""), max_age=int(SESSION_LASTS.total_seconds()))
        except BadSignature as error:
            raise Forged("This form carries no token of this session.") from error
        if signed_for != session_id:
            raise Forged("This form carries the token of another session.")

    @property
    def _serializer(self) -> URLSafeTimedSerializer:
        if self._signer is None:
            key = self._settings.seal.mark("forms", b"")
            self._signer = URLSafeTimedSerializer(
                key, salt="pratique.form", signer_kwargs={"digest_method": hashlib.sha256}
            )
        return self._signer
