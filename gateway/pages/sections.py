"""What a person's home is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Home:
    """What every section of a home is given."""

    communities: Mapping[str, Mapping[str, Any]]  #: to which they belong or over which they have a role, by id
    #: Meetings of these and those that name the person, by time, from four months ago to eight ahead.
    agenda: Sequence[Mapping[str, Any]]
    now: datetime

    def names_of(self, meeting: Mapping[str, Any]) -> list[str]:
        """Return the names of a meeting's communities, as far as they are the person's."""
        return [self.communities[id]["name"] for id in meeting["community_ids"] if id in self.communities]


@dataclass(frozen=True)
class Section:
    """A part of a person's home: a template, which finds its values under ``it``."""

    template: str
    values: Mapping[str, Any]
