"""Faults, a module for each sort. Each module here is loaded by being here (``registry.load``)."""
