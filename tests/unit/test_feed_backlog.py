"""Words that may wait: the newest one of each incident, in order."""

from hub.api.backlog import Backlog


def test_only_the_newest_word_about_an_incident_waits() -> None:
    backlog = Backlog()
    backlog.put("a", b"first of a")
    backlog.put("b", b"of b")
    backlog.put("a", b"second of a")
    assert len(backlog) == 2
    assert [backlog.oldest(), backlog.oldest(), backlog.oldest()] == [b"second of a", b"of b", None]


def test_what_waits_for_an_incident_can_be_taken_out_of_turn() -> None:
    backlog = Backlog()
    backlog.put("a", b"of a")
    backlog.put("b", b"of b")
    assert backlog.take("b") == b"of b"
    assert backlog.take("b") is None
    assert backlog.take(None) is None
    assert len(backlog) == 1
