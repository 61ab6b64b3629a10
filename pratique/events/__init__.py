"""The public contract: every event that a network publishes, one module per publisher.

Events on ``<service>.private`` carry names, addresses, free text or links that only notifications may read;
all others carry ids, instants and counts, and reach integrators by the exchange ``pratique.events``.
"""

from pratique.events import evaluation, meetings, membership, notifications

__all__ = ["evaluation", "meetings", "membership", "notifications"]
