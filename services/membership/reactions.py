"""Reactions of membership: none to events; roles begin and end when they are due."""

from chassis.messaging.inbox import Reactions
from chassis.scheduling.due import Handlers
from services.membership import roles

REACTIONS: Reactions = {}
DUE: Handlers = {roles.BEGINS: roles.begin_due, roles.ENDS: roles.end_due}
