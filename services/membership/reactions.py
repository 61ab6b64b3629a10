"""What other services' events make membership do: nothing, so far."""

from pratique.due import Handlers
from pratique.inbox import Reactions

REACTIONS: Reactions = {}
DUE: Handlers = {}
