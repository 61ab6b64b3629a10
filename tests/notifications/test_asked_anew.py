"""People who are asked anew, since what they may have answered was taken back: one more mail, and no third."""

from datetime import timedelta
from typing import Any

from chassis import clock
from pratique.events.notifications import Template


def test_whoever_is_asked_anew_is_mailed_once_more_and_whoever_was_not_mailed_yet_once(network: Any) -> None:
    network.invited("Ada", "Bo")
    network.deliver(network.events.asked("rencontre", "Ada"))
    network.send()
    anew = network.events.asked("rencontre", "Ada", "Bo", version=4, is_anew=True)
    for _ in range(2):
        network.deliver(anew)
        network.send()
    network.deliver(network.events.asked("rencontre", "Ada", "Bo", version=5))
    network.send()

    assert network.told(Template.SURVEY_INVITATION) == ["ada", "ada", "bo"]
    ids = [str(mail["Message-ID"]) for mail in network.mails()]
    assert len(set(ids)) == len(ids), "a mailbox shows one Message-ID once"


def test_being_asked_anew_counts_in_whatever_order_the_events_come(network: Any) -> None:
    network.invited("Ada", "Bo", "Cy")
    network.deliver(network.events.asked("rencontre", "Ada"))
    network.send()
    network.deliver(network.events.asked("rencontre", "Ada", "Bo", "Cy", version=5))
    network.deliver(network.events.asked("rencontre", "Ada", "Bo", version=4, is_anew=True))
    network.send()
    assert network.told(Template.SURVEY_INVITATION) == ["ada", "ada", "bo", "cy"]


def test_whoever_is_asked_anew_is_reminded_like_the_others_and_nothing_is_left_afterwards(network: Any) -> None:
    network.invited("Ada")
    for asked in ({}, {"version": 4, "is_anew": True}):
        network.deliver(network.events.asked("rencontre", "Ada", **asked))
        network.send()
    clock.move(timedelta(days=2))
    network.deliver(network.events.reminded("rencontre", "Ada"))
    network.send()
    assert network.told(Template.SURVEY_REMINDER) == ["ada"]
    network.deliver(network.events.survey_closed("rencontre", "Relève"))
    assert network.messages(Template.SURVEY_INVITATION) == []
