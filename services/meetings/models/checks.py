"""Validation rules of meetings, checked before anything is kept."""

from datetime import timedelta

from chassis.faults import Faults
from services.meetings.models.meetings import LINK_AT_MOST, PLACE_AT_MOST, Meeting

LONGEST = timedelta(hours=24)
YEARS = range(2000, 2101)  #: a meeting outside these is a typing error
THEME_AT_MOST = 200  #: characters
THEMES_AT_MOST = 20
COMMUNITIES_AT_MOST = 50
CAPACITY = range(1, 100_001)


def check(meeting: Meeting, faults: Faults) -> None:
    """Say what cannot be kept of a meeting as someone wants it."""
    _check_time(meeting, faults)
    _check_words(meeting, faults)
    ids = meeting.community_ids
    if not ids:
        faults.add("/community_ids", "A meeting needs a community; name at least one.")
    if len(ids) > COMMUNITIES_AT_MOST:
        faults.add("/community_ids", f"At most {COMMUNITIES_AT_MOST} communities can meet together.")
    for index, community_id in enumerate(ids[:COMMUNITIES_AT_MOST]):
        if community_id in ids[:index]:
            faults.add(f"/community_ids/{index}", f"Community {community_id} is named twice; name it once.")
    if meeting.capacity is not None and meeting.capacity not in CAPACITY:
        faults.add("/capacity", f"capacity counts places, from {CAPACITY[0]} to {CAPACITY[-1]}; or leave it out.")
    if meeting.note_taker_id is not None and meeting.note_taker_id == meeting.facilitator_id:
        faults.add("/note_taker_id", "The note taker is not counted and the facilitator is; name two people.")


def _check_time(meeting: Meeting, faults: Faults) -> None:
    faults.zone("/timezone", meeting.timezone)
    for field, at in (("/starts_at", meeting.starts_at), ("/ends_at", meeting.ends_at)):
        if at.year not in YEARS:
            faults.add(field, f"The year {at.year} is none in which we meet; use {YEARS[0]} to {YEARS[-1]}.")
    if meeting.ends_at <= meeting.starts_at:
        faults.add("/ends_at", "The meeting would end before it starts; let it end later.")
    elif meeting.ends_at - meeting.starts_at > LONGEST:
        faults.add("/ends_at", "The meeting would last more than 24 hours; schedule one for each day.")


def _check_words(meeting: Meeting, faults: Faults) -> None:
    faults.line("/place", meeting.place, PLACE_AT_MOST, required=False, mailed=True)
    faults.line("/link", meeting.link, LINK_AT_MOST, required=False)
    if meeting.link and not meeting.link.lower().startswith(("https://", "http://")):
        faults.add("/link", "The link must begin with https:// or http://, so that it opens in a browser.")
    if len(meeting.themes) > THEMES_AT_MOST:
        faults.add("/themes", f"{len(meeting.themes)} themes are too many for one meeting; at most {THEMES_AT_MOST}.")
    for index, theme in enumerate(meeting.themes[:THEMES_AT_MOST]):
        faults.line(f"/themes/{index}", theme, THEME_AT_MOST, mailed=True)
