"""Binds the gateway to the bus: every HTTP request goes to the app, which asks the services by RPC."""

from functools import partial
from typing import Any

from werkzeug.wrappers import Request, Response

from chassis import green
from chassis.http.web import http
from chassis.rpc.client import Services
from chassis.runtime.container import Provider
from chassis.runtime.readiness import readiness
from chassis.settings import Settings
from chassis.storage.store import open_store
from gateway import secrecy
from gateway.app import App, body_limit
from gateway.together import side_by_side


class Site(Provider):
    """Brings the app, with the store of tokens and sessions behind it; it asks by the ``Services`` beside it."""

    def setup(self) -> None:
        """Make the app; a missing database shows at its first use, not here."""
        settings: Settings = self.container.config["settings"]
        self.store = open_store(settings, "gateway", settings.max_workers)
        services = next(each for each in self.container.dependencies if isinstance(each, Services))
        self.app = App(
            services.call,
            self.store,
            settings,
            lambda: readiness(self.container),
            services.find,
            later=green.spawn_n,
            together=partial(side_by_side, green.spawn),
        )

    def stop(self) -> None:
        """Close the store; no request is in flight by now."""
        self.store.close()

    kill = stop

    def get_dependency(self, worker_ctx: Any) -> App:
        """The app."""
        return self.app


class Gateway:
    """Hands every request to the app."""

    name = "gateway"
    max_workers = 100  #: a request waits for a service most of its time; nameko's ten would be a queue
    services = Services()
    site = Site()
    body_limit = staticmethod(body_limit)
    secret_after, is_silent = secrecy.SECRET_AFTER, staticmethod(secrecy.is_about_survey)

    @http("*", "/")
    @http("*", "/<path:path>")
    def answer(self, request: Request, path: str = "") -> Response:
        """Answer one request."""
        response: Response = self.site.respond(request)
        return response
