"""Rules for the plan of a meeting that are checked before anything is kept; its annotations have the limits."""

from datetime import timedelta

from chassis.validation import ValidationErrors
from services.meetings.models.meetings import Meeting

LONGEST = timedelta(hours=24)
YEARS = range(2000, 2101)  #: a meeting outside these is a typing error


def check(meeting: Meeting, errors: ValidationErrors) -> None:
    """Add what cannot be kept of a meeting as someone plans it."""
    _check_time(meeting, errors)
    _check_words(meeting, errors)
    ids = meeting.community_ids
    for index, community_id in enumerate(ids):
        if community_id in ids[:index]:
            errors.add(f"/community_ids/{index}", f"Community {community_id} is named twice; name it once.")
    if meeting.note_taker_id is not None and meeting.note_taker_id == meeting.facilitator_id:
        errors.add("/note_taker_id", "The note taker is not counted and the facilitator is; name two people.")


def _check_time(meeting: Meeting, errors: ValidationErrors) -> None:
    for field, at in (("/starts_at", meeting.starts_at), ("/ends_at", meeting.ends_at)):
        if at.year not in YEARS:
            errors.add(field, f"The year {at.year} is none in which we meet; use {YEARS[0]} to {YEARS[-1]}.")
    if meeting.ends_at <= meeting.starts_at:
        errors.add("/ends_at", "The meeting would end before it starts; let it end later.")
    elif meeting.ends_at - meeting.starts_at > LONGEST:
        errors.add("/ends_at", "The meeting would last more than 24 hours; schedule one for each day.")


def _check_words(meeting: Meeting, errors: ValidationErrors) -> None:
    errors.check_line("/place", meeting.place, required=False, mailed=True)
    errors.check_line("/link", meeting.link, required=False)
    if meeting.link and not meeting.link.lower().startswith(("https://", "http://")):
        errors.add("/link", "The link must begin with https:// or http://, so that it opens in a browser.")
    for index, theme in enumerate(meeting.themes):
        errors.check_line(f"/themes/{index}", theme, mailed=True)
