"""Fuzzer of a running gateway: sends mutants one after the other and checks each answer and the stores."""

from collections import Counter

from tests.faults.hostile.gateway_process import GatewayProcess
from tests.faults.hostile.mutations import mutant
from tests.faults.hostile.valid import Network, Request
from tests.faults.hostile.verdict import Response, Wrong, judge


class Fuzzer:
    """Counts what was sent and how it was answered."""

    def __init__(self, gateway: GatewayProcess, seed: int) -> None:
        self.gateway, self.seed, self.number = gateway, seed, 0
        self.kinds: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self._requests = Network(gateway).requests()
        gateway.stores.settle()

    @property
    def requests(self) -> list[Request]:
        """The valid requests that are mutated."""
        return self._requests

    def step(self) -> None:
        """Send one more.

        Raises:
            Wrong: with the seed, the number and the bytes that do it again.
        """
        kind, raw = mutant(self._requests, self.seed, self.number)
        self.number += 1
        try:
            before = self.gateway.stores.versions()
            answers = self._judged(raw)
            if all(each.is_refusal for each in answers):
                self._unchanged_since(before, raw)
            elif not raw.startswith((b"GET ", b"HEAD ")):
                self.gateway.stores.settle()
        except Exception as wrong:
            shown = raw if len(raw) < 3000 else raw[:2000] + b" ... " + raw[-500:]
            place = f"seed {self.seed}, number {self.number - 1}, {kind}, {len(raw)} bytes: {shown!r}"
            raise Wrong(f"{wrong}\n{place}\n{self._last_words()}") from wrong
        self.kinds.update(kind.split("+"))
        self.statuses.update(each.status for each in answers)

    def _judged(self, raw: bytes) -> list[Response]:
        answers = self.gateway.tell(raw)
        if not self.gateway.process.is_running:
            raise Wrong("the gateway ended")
        for answer in answers:
            judge(answer, raw.startswith(b"HEAD "))
        return answers

    def _unchanged_since(self, before: list[int], raw: bytes) -> None:
        """What a refused request committed, it commits again; what went on beside it, does not."""
        stores = self.gateway.stores
        if stores.versions() == before:
            return
        stores.settle()
        content = stores.content()
        if not all(each.is_refusal for each in self._judged(raw)):
            return
        stores.settle()
        changed = sorted(table for table, rows in stores.content().items() if content[table] != rows)
        if changed:
            raise Wrong(f"refused, and changed {', '.join(changed)}")

    def _last_words(self) -> str:
        return "\n".join(line[:2000] for line in self.gateway.log().splitlines()[-3:])
