"""The bindings of a service's queue, remembered so that those no longer wanted can be removed."""

from sqlalchemy import Column, String, Table

from chassis.storage.types import CHASSIS_TABLES

#: What our queue was bound to when the service last started.
BINDING = Table(
    "binding",
    CHASSIS_TABLES,
    Column("exchange", String(100), primary_key=True),
    Column("routing_key", String(100), primary_key=True),
)
