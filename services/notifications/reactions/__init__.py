"""Reactions of notifications to events: keep copies, and decide who is written to.

Deliveries come in any order and repeat. A copy takes only what is newer; a message has one key, whichever of two
events comes second and completes the reason for it.
"""

from chassis.messaging.inbox import Reactions
from chassis.scheduling.due import Handlers
from services.notifications.commands import SIGN_IN_OVER, forget_sign_in
from services.notifications.reactions import evaluation, meetings, membership

REACTIONS: Reactions = {**membership.REACTIONS, **meetings.REACTIONS, **evaluation.REACTIONS}
DUE: Handlers = {SIGN_IN_OVER: forget_sign_in}
