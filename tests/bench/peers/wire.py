"""Events as every side must write them: CloudEvents, and what is private in a sealed box."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from chassis.sealing import Seal
from chassis.testing import SEAL_KEY
from services.evaluation.models import SurveyKey

SEAL = Seal.of(SEAL_KEY)
PRIVATE = {"SurveyInvitationsIssued": 4096}  #: and to a multiple of how many bytes it is padded
PUBLIC_URL = "http://127.0.0.1:8000"


def log_row(
    source: str, name: str, subject: UUID | str, fields: Mapping[str, Any], cause: Mapping[str, Any], at: datetime
) -> dict[str, Any]:
    """A row of the event log: the event as it will travel."""
    event_id, type_name = uuid4(), f"org.pratique.{source}.{name}.v1"
    attributes = {
        **{"specversion": "1.0", "id": str(event_id), "source": f"/pratique/{source}", "type": type_name},
        **{"subject": str(subject), "time": at.isoformat(), "datacontenttype": "application/json"},
        **{"dataschema": f"{PUBLIC_URL}/schemas/{type_name}.json"},
        **{"correlationid": cause.get("correlationid", str(event_id)), "sequence": f"{fields['version']:010d}"},
    }
    if "id" in cause:
        attributes["causationid"] = cause["id"]
    body = _encoded(attributes | {"data": fields})
    if name in PRIVATE:
        box = base64.b64encode(SEAL.close("event", body, PRIVATE[name])).decode()
        body = _encoded(attributes | {"data": {"box": box}})
    return {"id": event_id, "type": type_name, "subject": str(subject), "body": body, "at": at}


def key_row(survey_id: UUID) -> dict[str, Any]:
    """A survey's new secret, sealed."""
    return SurveyKey.new_row(SEAL, survey_id)


def _encoded(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
