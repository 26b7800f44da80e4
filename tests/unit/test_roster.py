"""Who is alive, and under which nick."""

from __future__ import annotations

import pytest

from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import User
from chatservice.domain.roster import Roster
from chatservice.identity.names import PrecisNames


def test_newcomers_are_counted() -> None:
    """Newcomers are user1, user2 …, and a number is not used again when its holder is gone."""
    roster = Roster(PrecisNames())
    first, second = roster.arrive("u_a"), roster.arrive("u_b")
    assert (first.user, second.user) == (User("u_a", "user1"), User("u_b", "user2"))
    roster.depart(first)
    assert roster.arrive("u_c").user.nick == "user3"
    assert len(roster) == 2


def test_a_taken_number_is_passed_over() -> None:
    """Somebody who chose to be called user2 (in any case) keeps it; the next newcomer is user3."""
    roster = Roster(PrecisNames())
    roster.rename(roster.arrive("u_a"), "USER2")
    assert roster.arrive("u_b").user.nick == "user3"


def test_a_nick_belongs_to_one_of_the_living() -> None:
    """A nick somebody living has, in whatever case or width, is refused, and the wisher keeps the old one."""
    roster = Roster(PrecisNames())
    roster.rename(roster.arrive("u_a"), "Ann")
    bob = roster.arrive("u_b")
    for wish in ("Ann", " ANN ", "ａｎｎ"):
        with pytest.raises(Refused) as refused:
            roster.rename(bob, wish)
        assert refused.value.code is Code.NICK_TAKEN and bob.user.nick == "user2"
    with pytest.raises(Refused):  # user2 is still held
        roster.rename(roster.arrive("u_c"), "user2")


def test_a_bad_nick_changes_nothing() -> None:
    """A wish that is no nick is refused before anything is given up."""
    roster = Roster(PrecisNames())
    ann = roster.arrive("u_a")
    with pytest.raises(Refused) as refused:
        roster.rename(ann, "\n")
    assert refused.value.code is Code.BAD_REQUEST
    assert len(roster) == 1
    with pytest.raises(Refused):
        roster.rename(roster.arrive("u_b"), "user1")


def test_ones_own_nick() -> None:
    """Everybody may take their own nick again, which changes nothing, and write it in another case."""
    roster = Roster(PrecisNames())
    ann = roster.arrive("u_a")
    assert roster.rename(ann, "ann") is True
    before = ann.user
    assert roster.rename(ann, "ann") is False and ann.user is before
    assert roster.rename(ann, "Ann") is True and ann.user == User("u_a", "Ann")
    assert len(roster) == 1 and roster.named("aNN") is ann


def test_the_old_nick_is_free_after_a_rename() -> None:
    """What somebody was called a moment ago another may be called now."""
    roster = Roster(PrecisNames())
    ann, bob = roster.arrive("u_a"), roster.arrive("u_b")
    roster.rename(ann, "Ann")
    roster.rename(ann, "Anna")
    assert roster.named("Ann") is None
    roster.rename(bob, "Ann")
    assert bob.user == User("u_b", "Ann") and roster.named("Ann") is bob


def test_a_nick_is_free_after_its_holder_is_gone() -> None:
    """The departed leave their nick behind."""
    roster = Roster(PrecisNames())
    ann = roster.arrive("u_a")
    roster.rename(ann, "Ann")
    roster.depart(ann)
    assert len(roster) == 0 and roster.named("Ann") is None
    bob = roster.arrive("u_b")
    roster.rename(bob, "ann")
    assert bob.user.nick == "ann"
