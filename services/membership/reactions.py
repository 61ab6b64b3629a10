"""Reactions of membership: none, so far."""

from chassis.messaging.inbox import Reactions
from chassis.scheduling.due import Handlers

REACTIONS: Reactions = {}
DUE: Handlers = {}
