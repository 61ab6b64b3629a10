"""Processes: the container of a service, its loops, health checks and retention."""
