"""How people answer, in the form that the gateway has now; whatever else the simulator uses has not changed."""

from collections.abc import Mapping, Sequence
from typing import Any

from chassis.settings import STORES, Settings
from chassis.testing import SEAL_KEY

PROBES_ARE_FREE = True  #: asking for a ballot takes nothing from the person in whose name it is asked
Ask = Any  #: ``ask(method, path, **options)``, which is one request from one address


def settings(mail_dir: Any) -> Settings:
    """Those of a network on SQLite in memory, and on a broker whose place the simulator takes."""
    return Settings(
        broker_url="amqp://simulated.invalid//",
        store_urls=dict.fromkeys(STORES, "sqlite://"),
        home=mail_dir,
        mail_dir=mail_dir,
        public_url="https://pratique.example",
        seal_key=SEAL_KEY,
    )


def take(ask: Ask, **who: str) -> Any:
    """Ask for a ballot by a token, or by the code of a room and a person; the whole response."""
    return ask("POST", "/v1/ballots", json=who)


def send(ask: Ask, ballot_id: str, answers: Sequence[Mapping[str, Any]]) -> Any:
    """Send the answers on a ballot; the whole response."""
    return ask("POST", "/v1/answers", json={"ballot_id": ballot_id, "answers": list(answers)})
