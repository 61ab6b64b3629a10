"""The bindings of a service's queue, remembered so that those no longer wanted can be removed."""

from sqlalchemy import Column, String, Table

from chassis.storage import store

#: What our queue was bound to when the service last started.
BINDING = Table(
    "binding",
    store.KERNEL,
    Column("exchange", String(100), primary_key=True),
    Column("routing_key", String(100), primary_key=True),
)
