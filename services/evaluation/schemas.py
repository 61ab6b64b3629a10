"""What evaluation answers over RPC, field by field."""

from marshmallow import Schema, fields

from pratique.events.evaluation import CountBand, WithheldReason
from services.evaluation.models import SurveyState
from services.evaluation.questions import QuestionType


class Survey(Schema):
    """A survey as its facilitator sees it."""

    id = fields.UUID()
    meeting_id = fields.UUID()
    state = fields.Enum(SurveyState, by_value=True)
    opens_at = fields.AwareDateTime()
    closes_at = fields.AwareDateTime()
    eligible_band = fields.Enum(CountBand, by_value=True)
    room_code = fields.String(allow_none=True)


class Room(Schema):
    """What a room's code opens."""

    survey_id = fields.UUID()
    meeting_id = fields.UUID()
    member_ids = fields.List(fields.UUID())


class Option(Schema):
    """One of the values to choose from: a number, or true or false."""

    value = fields.Raw()
    label = fields.String()


class Question(Schema):
    """A question in one language."""

    key = fields.String()
    type = fields.Enum(QuestionType, by_value=True)
    text = fields.String()
    options = fields.List(fields.Nested(Option))
    max_length = fields.Integer(allow_none=True)
    about = fields.String(allow_none=True)


class Ballot(Schema):
    """A ballot and its questions."""

    ballot_id = fields.String()
    survey_id = fields.UUID()
    questions = fields.List(fields.Nested(Question))


class Slip(Schema):
    """What answers are kept with."""

    slip = fields.String()


class Cell(Schema):
    """What is told of one question: its counts, or the value that nearly all chose; where it is withheld, only that."""

    question = fields.String()
    type = fields.String()
    is_withheld = fields.Boolean()
    n = fields.Integer()
    nearly_all = fields.String()
    distribution = fields.Dict(fields.String(), fields.Integer())
    mean = fields.Float()
    share = fields.Float()
    interval = fields.List(fields.Float())


class Results(Schema):
    """What is told of a survey; a field that does not apply is absent."""

    survey_id = fields.UUID()
    state = fields.Enum(SurveyState, by_value=True)
    reason = fields.Enum(WithheldReason, by_value=True)
    release_id = fields.UUID()
    n = fields.Integer()
    questions = fields.List(fields.Nested(Cell))
    comments = fields.List(fields.String())
    suppressed_count = fields.Integer()


class CellShown(Cell):
    """The same with its words."""

    text = fields.String()
    options = fields.Dict(fields.String(), fields.String())


class ResultsShown(Results):
    """Results with the words of their questions."""

    meeting_id = fields.UUID()
    questions = fields.List(fields.Nested(CellShown))
