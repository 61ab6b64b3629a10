"""Forms on the bodies of requests: what was typed becomes JSON as the service takes it; errors go to their fields.

A form is described once, by the annotations of its body: which fields must be filled in, how long a text may be, what
can be chosen. The macros of ``templates/forms.html`` show it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from marshmallow import ValidationError, fields
from marshmallow.validate import Length, Range
from werkzeug.datastructures import MultiDict

from chassis.validation import has_address, has_hidden, is_control, pointers
from pratique.errors import Invalid, QuotaSpent
from pratique.events.membership import Locale
from pratique.fields import Choice, Flag, Whole
from pratique.request import Body
from pratique.value import Instant
from words.catalogue import N_, Sentences, sentences

MAX_VALUES = 500  #: values of a form that are looked at
LANGUAGES = ((Locale.FR, "Français"), (Locale.EN, "English"))  #: each by its own name

_DAY, _HOUR = ".day", ".hour"  #: the two fields in which an instant is typed
_NO_MORE_MAILS = N_(
    "So many emails were sent today that no more are taken. Try again tomorrow, or ask whoever runs the network."
)
#: What is wrong with a field of this name, wherever nothing simpler is.
_BY_NAME: Mapping[str, str] = {
    "email": N_("Write one email address, such as amina@example.org, and nothing else."),
    "timezone": N_("Write a time zone by its IANA name, such as America/Toronto."),
}
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass
class Form:
    """One form of one person: what they typed, and what is wrong with it, by the name of the field."""

    body: type[Body]
    locale: Locale
    timezone: str = "UTC"  #: in which days and hours are typed and shown
    typed: Mapping[str, list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    general: str = ""  #: what is wrong with all of it

    @classmethod
    def of(cls, body: type[Body], known: Mapping[str, Any], locale: Locale, timezone: str = "UTC") -> "Form":
        """Return a form that shows what is known, as a service answered it."""
        form = cls(body, locale, timezone)
        form.typed = {
            name: shown
            for key, value in known.items()
            if key in body.schema.fields
            for name, shown in form._shown(key, value)
        }
        return form

    @classmethod
    def sent(cls, body: type[Body], form: MultiDict[str, str], locale: Locale, timezone: str = "UTC") -> "Form":
        """Return a form as it was sent."""
        names = list(form)[:MAX_VALUES]
        typed = {name: [_tidy(value) for value in form.getlist(name)[:MAX_VALUES]] for name in names}
        return cls(body, locale, timezone, typed)

    def read(self, **given: Any) -> dict[str, Any] | None:
        """Return what was typed as JSON that the service takes, with what is ``given``; None if something is wrong."""
        document = {**self._document(), **given}
        try:
            read: dict[str, Any] = self.body.schema.dump(self.body.schema.load(document))
        except ValidationError as error:
            self._tell(pointers(error.messages))
            return None
        return read

    def refuse(self, error: Invalid | QuotaSpent) -> None:
        """Keep what a service found wrong, at the fields to which its pointers lead; or that no more mails are sent."""
        if isinstance(error, QuotaSpent):
            self.general = sentences(self.locale)(_NO_MORE_MAILS)
        else:
            self._tell(error.fields or {"/": str(error)})

    @property
    def is_wrong(self) -> bool:
        """Return whether there is anything to be corrected."""
        return bool(self.errors or self.general)

    def value(self, name: str) -> str:
        """Return what is typed in a field."""
        return next(iter(self.typed.get(name, [])), "")

    def has(self, name: str, value: object) -> bool:
        """Return whether this choice is taken."""
        return str(getattr(value, "value", value)) in self.typed.get(name, [])

    def limit(self, name: str) -> int | None:
        """Return how many characters a field takes; None where that is not what limits it."""
        if isinstance(self.body.schema.fields[name], fields.List):
            return None  # its length is that of the list
        return next((each.max for each in self._checks(name, Length)), None)

    def range(self, name: str) -> tuple[Any, Any]:
        """Return the least and the greatest number of a field; None where there is none."""
        return next(((each.min, each.max) for each in self._checks(name, Range)), (None, None))

    def is_required(self, name: str) -> bool:
        """Return whether a field must be filled in."""
        return bool(self.body.schema.fields[name].required)

    def _document(self) -> dict[str, Any]:
        document = {}
        for name, kind in self.body.schema.fields.items():
            if name in self.typed or name + _DAY in self.typed or isinstance(kind, Flag):
                value = self._json(name, kind)
                if value not in ("", None):
                    document[name] = value
                elif kind.allow_none:
                    document[name] = None
        return document

    def _json(self, name: str, kind: fields.Field[Any]) -> Any:
        value = self.value(name)
        if isinstance(kind, Flag):
            return value not in ("", "false")
        if isinstance(kind, Instant):
            return self._instant(name)
        if isinstance(kind, fields.List):
            return [line for each in self.typed[name] for line in each.split("\n") if line.strip()]
        if isinstance(kind, Whole):
            return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else value
        return value

    def _instant(self, name: str) -> str:
        """What was typed as a day and an hour; as it is where that is none, so that it is refused."""
        day, hour = self.value(name + _DAY), self.value(name + _HOUR)
        if not day and not hour:
            return self.value(name)
        try:
            wall = datetime.fromisoformat(f"{day}T{hour.replace('h', ':').replace(' ', '')}")
        except ValueError:
            return f"{day} {hour}"
        return wall.replace(tzinfo=ZoneInfo(self.timezone)).isoformat()

    def _shown(self, name: str, value: Any) -> Iterable[tuple[str, list[str]]]:
        """The fields of a form that show this value."""
        kind = self.body.schema.fields[name]
        if value is None:
            return
        if isinstance(kind, Instant):
            at = datetime.fromisoformat(value) if isinstance(value, str) else value
            wall = at.astimezone(ZoneInfo(self.timezone))
            yield name + _DAY, [f"{wall:%Y-%m-%d}"]
            yield name + _HOUR, [f"{wall:%H:%M}"]
        elif isinstance(value, list | tuple):
            yield name, [str(each) for each in value]
        elif isinstance(value, bool):
            yield name, ["true"] if value else []
        else:
            yield name, [str(getattr(value, "value", value))]

    def _tell(self, found: Mapping[str, str]) -> None:
        _ = sentences(self.locale)
        for pointer, sentence in found.items():
            name = pointer.strip("/").partition("/")[0]
            if name in self.body.schema.fields:
                self.errors.setdefault(name, self._reason(_, name, sentence))
            else:
                fallback = _("This cannot be taken as it is. Check it, and send it again.")
                self.general = self.general or (sentence if self.locale is Locale.EN else fallback)

    def _reason(self, _: Sentences, name: str, sentence: str) -> str:
        """What is wrong with a field, in words for whoever typed it."""
        kind, value = self.body.schema.fields[name], self.value(name)
        if not value and not self.value(name + _DAY) and not self.value(name + _HOUR) and kind.required:
            return _("Choose one.") if isinstance(kind, Choice | fields.List) else _("Fill this in.")
        if isinstance(kind, Choice):
            return _("Choose one of those offered.")
        if isinstance(kind, Instant):
            return _("Write the day and the hour, such as 2026-03-12 and 14:00.")
        if isinstance(kind, Whole):
            low, high = self.range(name)
            return _("Write a whole number from %(low)s to %(high)s.", low=low or 0, high=high or "999,999")
        most = self.limit(name)
        if most is not None and len(value) > most:
            return _.counted("Write at most %(num)s character.", "Write at most %(num)s characters.", most)
        if has_hidden(value) or any(is_control(each) and each not in "\n\r\t" for each in value):
            return _("This holds invisible characters; copying brings them along. Type it again.")
        if name in _BY_NAME:
            return _(_BY_NAME[name])
        if has_address(value):
            return _("Leave out web and email addresses: email programs would make links of them.")
        return sentence if self.locale is Locale.EN else _("This cannot be taken as it is. Check it.")

    def _checks(self, name: str, kind: type) -> list[Any]:
        return [each for each in self.body.schema.fields[name].validators if isinstance(each, kind)]


def _tidy(value: str) -> str:
    return _CONTROLS.sub("", value.replace("\r\n", "\n")).strip()


def id_in(text: str) -> str:
    """Return the id that a form carries; a new one where somebody changed it into none."""
    try:
        return str(UUID(text))
    except ValueError:
        return str(uuid4())
