"""Two surveys that differ in one secret alone, and what each role has of them: nothing may tell one from the other."""

import email
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from tests.adversary import curious
from tests.adversary.network import Message, overheard
from tests.adversary.roles import opener_of
from tests.adversary.surveys import Evening, Sheet, Simulator, Survey

_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_SEQUENCE = re.compile(r'"seq": \d+, ')  # of rows; the order of ids that are chance
_PICTURE = re.compile(r"<svg.*?</svg>")  # of the room's code, on the wall
_FORM_TOKEN = re.compile(r'(?<=name="form_token" value=")[^"]+')  # of a session and an instant
_OPAQUE = re.compile(r"[A-Za-z0-9_+/=-]{40,}")

Transcript = Counter[str]


def transcripts(simulator: Simulator, survey: Survey) -> Mapping[str, Transcript]:
    """All that each role has of a survey, one text for each piece, with chance taken out: ids, proofs, boxes."""
    network, known = simulator.network, _known(simulator, survey)

    def of_messages(messages: Iterable[Message]) -> Transcript:
        return Counter(
            f"{each.at:%d %H:%M:%S} {each.exchange} {known(each.routing_key)} {len(each.body)} bytes"
            f" {known(str(sorted(each.properties.items(), key=str)))} {known(_text(each.body))}"
            for each in messages
        )

    def heard(role: str) -> Transcript:
        return Counter(
            f"{each.at:%d %H:%M:%S} {known(each.request)} {each.status} {known(str(each.body))}"
            for each in survey.heard
            if each.role == role
        )

    def of_copy(is_open: bool, has_key: bool) -> Transcript:
        opened = opener_of(simulator) if has_key else lambda content: f"{len(content)} bytes"
        copy = survey.while_open if is_open else survey.afterwards
        assert copy is not None
        found: Transcript = Counter()
        for table, rows in copy.tables.items():
            for row in rows:
                shown = {name: opened(each) if isinstance(each, bytes) else each for name, each in row.items()}
                found[f"{table} {known(json.dumps(shown, default=str))}"] += 1
        return found

    own = [each for each in network.letters if each.recipient == simulator.facilitator.address]
    return {
        "facilitator": heard("facilitator") + Counter(f"{each.at} {known(words_of(each.content))}" for each in own),
        **{role: heard(role) for role in ("coordinator", "administrator of the network", "member")},
        "integrator": heard("integrator")
        + of_messages(each for each in network.messages if each.exchange.endswith(".events")),
        "reader of logs": Counter(f"{at:%d %H:%M:%S} {known(line)}" for at, line in network.ears.lines)
        + Counter(f"{each.at:%d %H:%M:%S} {each.method} {known(each.path)} {each.status}" for each in network.hits),
        "administrator of the broker": of_messages(network.messages),
        "holder while open": of_copy(is_open=True, has_key=False),
        "holder afterwards": of_copy(is_open=False, has_key=False),
        "holder while open with key": of_copy(is_open=True, has_key=True),
        "holder afterwards with key": of_copy(is_open=False, has_key=True),
    }


def words_of(content: str) -> str:
    """Headers and text of a mail, decoded."""
    mail = email.message_from_string(content)
    parts = [part.get_payload(decode=True) for part in mail.walk() if part.get_content_maintype() == "text"]
    return f"{sorted(mail.items())} {b' '.join(part for part in parts if isinstance(part, bytes)).decode()}"


def _text(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body))
    except ValueError:
        return "(no JSON)"


def _known(simulator: Simulator, survey: Survey) -> Callable[[str], str]:
    """Leave the ids that everybody knows, and take out those that are chance."""
    names = {each.id.hex: each.name for each in simulator.people}
    names |= {simulator.meeting_id.hex: "meeting", simulator.community_id.hex: "community"}
    if survey.survey_id:
        names[survey.survey_id.hex] = "survey"

    def name(found: re.Match[str]) -> str:
        return names.get(found[0].replace("-", "").lower(), "(id)")

    def without_chance(text: str) -> str:
        code = survey.room_code
        for written in (code, " ".join(code), f"<span>{code[:4]}</span><span>{code[4:]}</span>") if code else ():
            text = text.replace(written, "(code)")
        text = _FORM_TOKEN.sub("(token)", _PICTURE.sub("(code)", text))
        return _SEQUENCE.sub("", _OPAQUE.sub(lambda word: f"({len(word[0])})", _ID.sub(name, text)))

    return without_chance


def play(simulator: Simulator, in_room: Mapping[UUID, Sheet], by_mail: Mapping[UUID, Sheet], **more: Any) -> Survey:
    """A survey in which these answer so, a minute after each other, and in which everybody looks at everything."""
    random.seed(0)  # by which retries are spread
    with overheard(simulator.network), simulator.evening(0) as evening:
        _play(evening, in_room, by_mail, **more)
    return evening.survey


def _play(
    evening: Evening,
    in_room: Mapping[UUID, Sheet],
    by_mail: Mapping[UUID, Sheet],
    there: Sequence[UUID] = (),
    corrected: Sequence[UUID] = (),
    meanwhile: Callable[[Evening], None] | None = None,
    is_closed_late: bool = False,
    with_passes: bool = False,
) -> None:
    for one in there if with_passes else ():
        evening.open_invitation(one)
    evening.begin(list(there))
    for minutes, (one, sheet) in enumerate(in_room.items(), 1):
        evening.go_to(evening.at(minutes=minutes))
        (evening.answer_with_pass if with_passes else evening.answer_in_room)(one, sheet)
    evening.go_to(evening.at(minutes=25))
    curious.look_as_facilitator(evening)
    curious.look_as_people(evening)
    evening.go_to(evening.at(hours=30) if is_closed_late else evening.at(minutes=30))
    if not is_closed_late:
        evening.close()
    for hours, (one, sheet) in enumerate(by_mail.items(), 31 if is_closed_late else 1):
        evening.go_to(evening.at(hours=hours))
        evening.answer_by_link(one, sheet)
    for hours, one in enumerate(corrected, 35 if is_closed_late else 20):
        evening.go_to(evening.at(hours=hours))
        evening.mark({one: "excused"})
        evening.go_to(evening.at(hours=hours, minutes=1))
        evening.mark({one: "attended"})
    evening.go_to(evening.at(hours=40))
    if is_closed_late:
        evening.close()
    if meanwhile:
        meanwhile(evening)
    evening.survey.while_open = evening.network.copy()
    evening.go_to(evening.at(days=4))
    curious.look_as_integrator(evening)
    curious.look_as_people(evening)
    evening.let_it_close()
    curious.look_as_facilitator(evening)
    curious.look_as_people(evening)
    curious.look_as_integrator(evening)
    evening.survey.afterwards = evening.network.copy()
