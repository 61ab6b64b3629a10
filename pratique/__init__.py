"""What integrators install: the events of a network of communities of practice, and how to read them."""

#: The services of a network. Each publishes the events of the module of its name in ``pratique.events``; stores, queues
#: and exchanges are named after it.
SERVICES = ("membership", "meetings", "evaluation", "notifications")
