"""Each template has its rules, and they fit together."""

import pytest

from pratique.events.notifications import Template
from services.notifications.kinds import ABOUT_SURVEY, KINDS
from services.notifications.mails import TEMPLATES

each_template = pytest.mark.parametrize("template", Template)


def test_each_template_has_a_kind_and_words() -> None:
    shared = {"anonymity", "answer", "details", "entry", "frame", "layout", "parts"}
    own = {path.stem for path in TEMPLATES.iterdir()} - shared

    assert set(KINDS) == set(Template)
    assert own == {template.value for template in Template}


@each_template
def test_no_mail_is_for_facilitators_and_for_those_there_at_once(template: Template) -> None:
    assert not (KINDS[template].is_to_facilitators and KINDS[template].is_to_those_there)


@each_template
def test_a_mail_with_a_calendar_entry_waits_for_the_words_that_stand_in_it(template: Template) -> None:
    assert KINDS[template].needs_words or KINDS[template].calendar is None


@each_template
def test_a_mail_about_a_survey_depends_on_none_but_such(template: Template) -> None:
    """Otherwise what becomes of one that is told would tell of one that is not."""
    companion = KINDS[template].companion

    assert companion is None or (companion in ABOUT_SURVEY) == (template in ABOUT_SURVEY)
