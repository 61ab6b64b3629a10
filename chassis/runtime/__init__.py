"""Processes: the container of a service and its runner, health checks, topology and retention."""
