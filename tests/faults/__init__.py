"""What is broken on purpose, and what must be true all the same. ``python -m tests.faults`` runs it by seeds."""
