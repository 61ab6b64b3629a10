"""Paths that hold secrets, and paths about surveys: what no log, and no metric by itself, may tell of them."""

#: In small letters, for whatever case comes; the address in the picture on the wall is in capitals.
_OF_SURVEYS = ("/v1/rooms/", "/v1/ballots/", "/r/", "/s/", "/i/", "/results/")
#: The path segment after these is a secret: it is masked in logs.
SECRET_AFTER = (*_OF_SURVEYS, "/sign-in/", "/calendar/")
#: What begins so is about a survey, or gives the pass with which one answers it. A success there leaves no line in any
#: log, because the time of a line would tell when somebody answered; and in the metrics all of it is one figure.
SURVEY_PATHS = (*_OF_SURVEYS, "/v1/ballots", "/v1/answers")
#: Where a room's code is asked for, and what pages of surveys lead to: whoever comes there is about to answer.
_WAYS_IN = ("/", "/r", "/help", "/privacy", "/accessibility")


def is_about_survey(path: str) -> bool:
    """Return whether a path is about a survey, or the way to one, in letters of whatever case."""
    written = path.lower()
    return written in _WAYS_IN or written.startswith(SURVEY_PATHS)
