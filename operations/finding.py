"""A finding of the doctor."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    is_well: bool
    words: str
    hint: str = ""  #: what to do about it, if it is not well
