"""Windows of a browser, lent from one test to the next: each keeps what went wrong, and knows what a page weighed."""

from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Request, Response
from werkzeug.routing import Map

from gateway.routes import Media, Route
from tests.browser.chromium import PATIENCE_MS, Device

#: Chromium says this of the document itself too, whose status the visit expects.
_STATUS = "Failed to load resource: the server responded with a status of"
_SESSION = "pratique_session"


class Window:
    """One page in a context of its own, without cookies of others, in the language that the browser asks for."""

    def __init__(self, browser: Browser, origin: str, locale: str, device: Device, has_script: bool = True) -> None:
        self.origin, self.locale, self.device = origin, locale, device
        self._icon = f"{origin}/favicon.ico"  #: asked for by the browser itself, once, whenever it likes
        self.faults: list[str] = []  #: requests to others, errors of the console, breaches of the policy
        self._context = browser.new_context(
            base_url=origin,
            locale=f"{locale}-CA",
            viewport=device.viewport,
            is_mobile=device.is_phone,
            has_touch=device.is_phone,
            java_script_enabled=has_script,
            reduced_motion="reduce",
        )
        self._context.set_default_timeout(PATIENCE_MS)
        self._answers: list[Response] = []
        self.page = self._context.new_page()
        self._developer = self._context.new_cdp_session(self.page)
        self.page.on("request", self._see_request)
        self.page.on("response", self._see_response)
        self.page.on("console", self._see_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script failed: {error}"))

    def forget(self) -> None:
        """Leave the page, and all that is remembered of it and of whoever read it."""
        for beside in self._context.pages:
            if beside != self.page:
                beside.close()
        self.page.unroute_all()
        # to a page of the same site, since for another Chromium would start another process
        self.page.goto(f"{self.origin}/healthz" if self.page.url.startswith(self.origin) else "about:blank")
        self.page.set_viewport_size(self.device.viewport)
        self.page.emulate_media(color_scheme="light", forced_colors="none")
        self._context.clear_cookies()
        self._developer.send("Network.clearBrowserCache")
        self._answers.clear()
        self.faults = []

    @property
    def session(self) -> str:
        """The cookie of whoever is signed in."""
        (cookie,) = [each for each in self._context.cookies() if each["name"] == _SESSION]
        return cookie["value"]

    def resume(self, session: str) -> None:
        """Go on as whoever was given this cookie."""
        self._context.add_cookies([{"name": _SESSION, "value": session, "url": self.origin}])

    @property
    def document(self) -> Response:
        """The answer that is shown now."""
        return next(answer for answer in reversed(self._answers) if self._is_document(answer.request))

    @property
    def source(self) -> str:
        """The page as it came, before a browser mended it."""
        return self.document.text()

    @property
    def weight(self) -> int:
        """Bytes of the page and of all that it asked for, uncompressed."""
        begin = self._answers.index(self.document)
        return sum(len(answer.body()) for answer in self._answers[begin:])

    def picture(self) -> bytes:
        """Return a small picture of what is in view, as WebP."""
        taken = self._developer.send("Page.captureScreenshot", {"format": "webp", "quality": 75})
        return b64decode(taken["data"])

    def route(self, urls: Map) -> tuple[str, str] | None:
        """Return method and template of the route that answered; None if it is none that gives pages."""
        path = self.document.url.removeprefix(self.origin).partition("?")[0]
        request = self.document.request
        found = urls.bind("127.0.0.1").test(path, request.method)
        if not found:
            return None
        route, _ = urls.bind("127.0.0.1").match(path, request.method)
        assert isinstance(route, Route)
        return (route.method, route.template) if route.media is Media.HTML else None

    def _is_document(self, request: Request) -> bool:
        return request.is_navigation_request() and request.frame == self.page.main_frame

    def _see_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:")):
            self.faults.append(f"asked {request.url}")

    def _see_response(self, answer: Response) -> None:
        self._answers.append(answer)

    def _see_console(self, message: ConsoleMessage) -> None:
        is_status = message.text.startswith(_STATUS) and message.location["url"] in (self.page.url, self._icon)
        if message.type in ("error", "warning") and not is_status:
            self.faults.append(f"{message.type}: {message.text} ({message.location['url']})")


class Windows:
    """Windows of one browser. Each is opened for the first that needs its like, and then lent to one after the other.

    Chromium takes a second of processor time to open one.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[tuple[str, str, Device, bool], list[Window]] = {}

    @contextmanager
    def lend(self, origin: str, locale: str, device: Device, has_script: bool = True) -> Iterator[Window]:
        """Lend a window without cookies of others, for the length of a ``with`` block."""
        free = self._free.setdefault((origin, locale, device, has_script), [])
        lent = free.pop() if free else Window(self._browser, origin, locale, device, has_script)
        try:
            yield lent
        finally:
            lent.forget()
            free.append(lent)
