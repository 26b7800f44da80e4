"""The client core against the real domain: whatever breaks, nothing is lost, nothing is doubled."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import Any

from clients import of
from hypothesis import given, settings
from hypothesis import strategies as st
from world import World

from chatservice.client.events import Entry, Failed, Replied, RoomJoined, Truncated
from chatservice.domain.events import Said

TALKERS = 3

someone = st.integers(0, TALKERS - 1)
few = st.integers(0, 6)
say = st.tuples(st.just("say"), someone)
act_on = st.tuples(st.sampled_from(["edit", "delete", "react"]), someone, st.integers(1, 20))
move = st.tuples(st.just("move"), someone, few, few)
move_all = st.just(("all",))
cut = st.tuples(st.just("cut"), someone)
lag = st.tuples(st.sampled_from(["lag", "catch_up"]), someone)
wait = st.tuples(st.just("wait"), st.sampled_from([0.1, 1.0, 6.0, 40.0]))
step = st.one_of(say, say, say, act_on, move, move, move_all, move_all, move_all, lag, lag, cut, wait)
# A round: calm enough that something is said and seen, then the worst.
calm = st.lists(st.one_of(say, say, act_on, lag, move_all, move_all), min_size=8, max_size=25)
restart = st.just([("restart",)])
loss = calm.map(lambda steps: [("all",), ("save",), *steps, ("all",), ("restore",), ("wait", 6.0)])
wild = st.lists(step, min_size=8, max_size=20)


def rounds(*kinds: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[list[Any]]:
    """Some pieces of these kinds, as one list of steps."""
    return st.lists(st.one_of(*kinds), min_size=4, max_size=12).map(lambda found: [*chain(*found)])


def play(world: World, steps: list[tuple[Any, ...]]) -> Counter[str]:
    """Do all that; how often each text was said."""
    said: Counter[str] = Counter()
    for number, (name, *rest) in enumerate(steps):
        if name == "say":
            text = f"text {number}"
            world.talkers[rest[0]].core.say("tea", text)
            said[text] += 1
        elif name in ("edit", "delete", "react"):
            act(world, name, *rest, text=f"edit {number}")
        elif name == "move":
            world.move(*rest)
        elif name == "all":
            for talker in range(TALKERS):
                world.move(talker, 20, 100)
        elif name == "cut":
            world.cut(rest[0])
        elif name in ("lag", "catch_up"):
            pipe = world.pipes[rest[0]]
            if pipe is not None:
                getattr(pipe, name)()
        elif name == "wait":
            world.wait(rest[0])
        elif name == "save":
            world.save()
        else:
            world.restart(to_saved=name == "restore")
    world.settle()
    return said


def act(world: World, name: str, talker: int, ref: int, text: str) -> None:
    core = world.talkers[talker].core
    if "tea" not in core.rooms:
        return
    view = core.view("tea")
    if name == "edit" and ref in view:
        core.edit("tea", ref, text, view[ref]["rev"])
    elif name == "delete":
        core.delete("tea", ref)
    elif name == "react":
        core.react("tea", ref, "👍", on=ref % 3 != 0)


def check_views(world: World) -> None:
    """Everyone sees what the server has, and was told it number by number."""
    top = world.entries()[-1].seq if world.entries() else 0
    for number, talker in enumerate(world.talkers):
        assert talker.core.view("tea").messages == world.history(number)
        at: int | None = None
        for event in talker.told:
            if isinstance(event, RoomJoined) and event.room == "tea" and event.was_reset:
                at = event.result["seq"]
            elif isinstance(event, Truncated) and event.room == "tea":
                assert at is not None
                at = min(at, event.after)
            elif isinstance(event, Entry) and event.room == "tea":
                assert at is not None and event.seq == at + 1, "a number is missing or came twice"
                at = event.seq
        assert at == top


@settings(max_examples=60, deadline=None)
@given(rounds(calm, wild, restart))
def test_nothing_lost_nothing_doubled(steps: list[tuple[Any, ...]]) -> None:
    """Cuts, lags and restarts at any frame: each message is in the log once, acknowledged, and seen by all."""
    world = World(TALKERS)
    said = play(world, steps)
    assert world.troubles == []
    kept = Counter(entry.body.user.id + " " + str(entry.body.cid) for entry in world.entries() if said_in(entry))
    assert len(kept) == sum(kept.values()) == sum(said.values())
    replied = [reply.id for talker in world.talkers for reply in of(Replied, talker.told) if is_cid(reply.id)]
    assert sorted(replied) == sorted(key.split()[1] for key in kept)
    assert not [f for talker in world.talkers for f in of(Failed, talker.told) if is_cid(f.id)]
    check_views(world)


@settings(max_examples=60, deadline=None)
@given(rounds(calm, wild, restart, loss))
def test_a_lost_tail_leaves_no_ghosts(steps: list[tuple[Any, ...]]) -> None:
    """The server comes back with an older copy of its log: everyone drops what that does not hold; all agree."""
    world = World(TALKERS)
    play(world, steps)
    assert world.troubles == []
    texts = Counter(entry.body.cid for entry in world.entries() if said_in(entry))
    assert all(n == 1 for n in texts.values())
    check_views(world)


def is_cid(id: object) -> bool:
    return isinstance(id, str)


def said_in(entry: Any) -> bool:
    return isinstance(entry.body, Said)
