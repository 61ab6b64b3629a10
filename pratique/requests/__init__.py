"""The public contract: every request that a network's services take, and the shapes of their answers.

One module for each service, beside fields and shapes that they share. A request class is named in a row of the
gateway's routes and in the table of the function that carries it out, ``COMMANDS`` or ``QUERIES`` of its service.
"""

from pratique.requests import evaluation, meetings, membership, notifications

__all__ = ["evaluation", "meetings", "membership", "notifications"]
