"""The cockpit of a meeting on somebody's phone, over a socket: taps are saved one by one, as the page's script does."""

import re
import urllib.parse
from http.client import HTTPConnection
from uuid import UUID

from chassis.settings import Settings
from chassis.storage.store import Store
from gateway.sessions import SessionStore
from gateway.visitors import Visitors
from tests.harness.waiting import PATIENCE_S, until


def cookie_of(settings: Settings, store: Store, member_id: str) -> str:
    """Return a Cookie header with which this person is signed in; ``store`` is the gateway's."""
    sessions = SessionStore(store)
    return f"{Visitors(lambda *_: None, sessions, settings).cookie}={sessions.begin(UUID(member_id), 'phone')}"


class Cockpit:
    """A phone on which one facilitator is signed in and has the cockpit open."""

    def __init__(self, settings: Settings, store: Store, member_id: str, meeting_id: str) -> None:
        """``store`` is the gateway's."""
        self._port, self._path = settings.http_port, f"/meetings/{meeting_id}"
        self._cookie = cookie_of(settings, store, member_id)
        page = until(self._read, what="the cockpit")
        self._token = re.findall(r'name="form_token" value="([^"]+)"', page)[0]

    def _read(self) -> str:
        status, page = self._ask("GET", f"{self._path}?lang=en")
        return page if status == 200 else ""

    def tap(self, how: str, *member_ids: str) -> int:
        """Mark these as ``there`` or ``gone``, as one save does; return the status of the answer."""
        form = urllib.parse.urlencode({"form_token": self._token, "part": "saved", how: member_ids}, doseq=True)
        return self._ask("POST", f"{self._path}/attendance", form)[0]

    def press(self, button: str) -> int:
        """Go on to the next step of the meeting; return the status of the answer."""
        return self._ask("POST", f"{self._path}/{button}", urllib.parse.urlencode({"form_token": self._token}))[0]

    def _ask(self, method: str, path: str, form: str | None = None) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
        headers = {
            "Cookie": self._cookie,
            "Accept": "text/html",
            "Connection": "close",
            "Sec-Fetch-Site": "same-origin",
        }
        headers |= {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        connection.request(method, path, form, headers)
        response = connection.getresponse()
        status, text = response.status, response.read().decode()
        connection.close()
        return status, text
