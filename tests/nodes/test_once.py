"""What all nodes hear by another way, one of them does: as often as it was said, and never more often."""

from __future__ import annotations

import random

import pytest
from redis_ground import hand_driven

from chatservice.logs.redis_once import AGAIN_S
from nodes.chats import Node
from nodes.conftest import MakeNode


class Choir:
    """Several nodes that hear the same; what they have done, by whom."""

    def __init__(self, make_node: MakeNode, n: int) -> None:
        self.nodes = [make_node() for _ in range(n)]
        self.done: list[tuple[Node, bytes]] = []
        for node in self.nodes:
            self.begin(node)

    def begin(self, node: Node) -> None:
        """It listens from now on."""
        begun: list[bool] = []
        node.store.raw.once.begin(lambda: begun.append(True))
        node.wait_for(lambda: begun, "the beginning")

    def heard(self, node: Node, words: bytes) -> None:
        """It has heard these words."""
        node.store.raw.once.heard(words, lambda: self.done.append((node, words)))

    def all_hear(self, words: bytes) -> None:
        """Everybody has."""
        for node in self.nodes:
            self.heard(node, words)

    def until(self, n: int) -> None:
        """Wait until so much is done, and see that no more is."""
        self.nodes[0].wait_for(lambda: len(self.done) >= n, f"{n} deeds")
        end = hand_driven().seconds() + 1.2 * AGAIN_S
        self.nodes[0].wait_for(lambda: hand_driven().seconds() > end, "what may come besides")
        assert len(self.done) == n


def test_one_does_it(make_node: MakeNode) -> None:
    """Each time is one deed, also of words that are said twice, and of one go all by one node in its order."""
    choir = Choir(make_node, 3)
    said = [b"a", b"b", b"b", b"a", b"c"]
    for words in said:
        choir.all_hear(words)
    choir.until(len(said))
    assert [words for _, words in choir.done] == said
    assert len({id(node) for node, _ in choir.done}) == 1


def test_who_does_it_is_gone(make_node: MakeNode) -> None:
    """What the one that did it until now does not hear any more is done by another, a little later, and once."""
    choir = Choir(make_node, 3)
    choir.all_hear(b"first")
    choir.nodes[0].wait_for(lambda: choir.done, "the first")
    choir.nodes = [node for node in choir.nodes if node is not choir.done[0][0]]
    choir.all_hear(b"second")
    choir.all_hear(b"first")
    choir.until(3)
    assert [words for _, words in choir.done] == [b"first", b"second", b"first"]


def test_who_comes_later(make_node: MakeNode) -> None:
    """One that listens only since a while has missed what was done before; it does not do that again, and counts
    rightly when the others are gone, also once it has listened anew."""
    choir = Choir(make_node, 2)
    for _ in range(3):
        choir.all_hear(b"tick")
    choir.until(3)
    late = make_node()
    choir.begin(late)
    choir.nodes.append(late)
    choir.all_hear(b"tick")
    choir.until(4)
    choir.nodes = [late]
    choir.all_hear(b"tick")
    choir.until(5)
    choir.begin(late)
    choir.all_hear(b"tick")
    choir.until(6)
    assert choir.done[-1][0] is late


def test_several_sources(make_node: MakeNode) -> None:
    """Of several ways to hear each has a beginning of its own, also if all begin at once; what is said by two of
    them is done for each, and whoever does the one does not keep others from the other."""
    nodes = [make_node(), make_node()]
    ears = [[node.store.raw.once.of(source) for source in (0, 1)] for node in nodes]
    begun: list[int] = []
    done: list[tuple[int, int]] = []
    for source in (0, 1):
        ears[0][source].begin(lambda source=source: begun.append(source))  # type: ignore[misc]
    nodes[0].wait_for(lambda: len(begun) == 2, "both beginnings")
    for source in (0, 1):
        ears[1][source].begin(lambda source=source: begun.append(source))  # type: ignore[misc]
    nodes[1].wait_for(lambda: len(begun) == 4, "all beginnings")

    def hears(number: int, source: int) -> None:
        ears[number][source].heard(b"tea", lambda: done.append((number, source)))
        nodes[0].pump.run()

    for number, source in ((0, 0), (1, 1), (1, 0), (0, 1)):
        hears(number, source)
    end = hand_driven().seconds() + 1.2 * AGAIN_S
    nodes[0].wait_for(lambda: hand_driven().seconds() > end, "what may come besides")
    assert sorted(source for _, source in done) == [0, 1]


@pytest.mark.parametrize("seed", range(4))
def test_any_order(make_node: MakeNode, seed: int) -> None:
    """However much one is behind the other, each time is one deed."""
    chance = random.Random(seed)
    choir = Choir(make_node, 3)
    said = [chance.choice([b"x", b"y"]) for _ in range(30)]
    ahead = dict.fromkeys(range(3), 0)
    while min(ahead.values()) < len(said):
        number = chance.choice([number for number, at in ahead.items() if at < len(said)])
        for _ in range(min(chance.randint(1, 5), len(said) - ahead[number])):
            choir.heard(choir.nodes[number], said[ahead[number]])
            ahead[number] += 1
        if chance.random() < 0.3:
            choir.nodes[number].pump.run()
    choir.until(len(said))
    assert sorted(words for _, words in choir.done) == sorted(said)
