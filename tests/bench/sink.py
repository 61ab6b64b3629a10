"""A mail server that costs next to nothing, so that what is measured is the sender: it takes everything (RFC 5321)."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import cast

_AGREED = b"250 sink\r\n"
_OFFERS = b"250-sink\r\n250 PIPELINING\r\n"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    accepted: Callable[[datetime], None]
    read: Callable[[bytes], None] | None


class _Talk(socketserver.StreamRequestHandler):
    """One connection; commands in any order are taken as they come."""

    disable_nagle_algorithm = True
    rbufsize = 65536

    def handle(self) -> None:
        """Agree to everything until the client goes."""
        self.wfile.write(b"220 sink\r\n")
        while line := self.rfile.readline(1024):
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line)
                server = cast(_Server, self.server)
                server.accepted(datetime.now(UTC))
                if server.read:
                    server.read(b"".join(lines))
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            elif verb == b"EHLO":
                self.wfile.write(_OFFERS)  # as the mail servers that networks run do
                continue
            self.wfile.write(_AGREED)


@contextmanager
def sink(accepted: Callable[[datetime], None], read: Callable[[bytes], None] | None = None) -> Iterator[str]:
    """The URL of a server; ``accepted`` is told, in one of its threads, when it answers for each mail.

    ``read`` is told what the mail was, as it came over the wire but for its end.
    """
    with _Server(("127.0.0.1", 0), _Talk) as server:
        server.accepted, server.read = accepted, read
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"smtp://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
