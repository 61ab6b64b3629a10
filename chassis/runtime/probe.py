"""Probe of a process: is it ready? Imports little, since health checks call it every few seconds."""

import urllib.error
import urllib.request


def why_not_ready(url: str, timeout_s: float = 5) -> str:
    """Return why the process with this /readyz is not ready, in words; empty if it is."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_s):  # noqa: S310  (an operator's own http address)
            return ""
    except urllib.error.HTTPError as error:
        with error:
            return f"{url} says {error.code}: {error.read(500).decode('utf-8', 'replace')}"
    except (OSError, ValueError) as error:
        return f"{url} does not answer ({getattr(error, 'reason', error)})"
