"""Scheduled work: rows with a due time, claimed by whichever replica comes first."""
