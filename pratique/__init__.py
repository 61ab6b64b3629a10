"""The public contract of a network of communities of practice: its events, its requests, and a subscriber."""

#: The services of a network. Each publishes the events of the module of its name in ``pratique.events``; stores, queues
#: and exchanges are named after it.
SERVICES = ("membership", "meetings", "evaluation", "notifications")
