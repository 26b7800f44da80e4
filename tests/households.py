"""A chat on one store, the devices of some people, and what must be true of all of them at any time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chat import Chat, Frame
from devices import Device
from stores import Store

from chatservice.dialects.full_voice import entry, message
from chatservice.domain.ports import Page

ROOMS = ("lobby", "attic")
USERS = ("ann", "ann", "bob", "eve")  # Ann has two devices


class Household:
    """See the module.

    :ivar openings: how often the store was opened anew.
    """

    def __init__(self, kind: str, place: Path, *, fence: bool = True) -> None:
        self.openings = 0
        self.chat = self.server(Store(kind, place, fence=fence))
        self.devices: Sequence[Device] = [self.device(f"d{n}", user) for n, user in enumerate(USERS)]

    def server(self, store: Store) -> Chat:
        """The server; tests with another wire have their own."""
        return Chat(store)

    def device(self, name: str, user: str) -> Device:
        """One of the devices; tests that judge what they are told make their own."""
        return Device(self.chat, name, user)

    def end(self, *, crash: bool = False) -> None:
        """The process ends, all lines break."""
        for device in self.devices:
            device.cut()
        if crash:
            self.chat.store.crash()
        else:
            self.chat.store.stop()

    def begin(self) -> None:
        """Another process begins."""
        self.openings += 1
        self.chat.start()

    def exchange(self, device: Device) -> None:
        """One device sends and reads all."""
        device.up()
        self.chat.settle()
        device.down()

    def settle(self) -> None:
        """Everybody comes back, sends and reads all."""
        for device in self.devices:
            device.connect()
            for room in ROOMS:
                device.join(room, 3)
        moved = True
        while moved:
            for device in self.devices:
                device.up()
            self.chat.settle()
            moved = sum(device.down() for device in self.devices) > 0  # each of them reads

    def read(self, room: str) -> Page:
        """The whole log of a room."""
        page: Page = self.chat.store.pump.until(self.chat.store.engine.read(room, 0, 10**6))
        return page

    def history(self, room: str, viewer: str) -> list[Frame]:
        """All messages of a room as the wire shows them."""
        past = self.chat.store.pump.until(self.chat.store.engine.history(room, viewer, 10**6))
        return [message(one) for one in past.messages]

    def check(self) -> None:
        """The log is whole, nobody was stored twice or out of order, and everybody has what the log has."""
        assert self.chat.troubles == []
        for room in ROOMS:
            log = self.read(room).entries
            assert [one.seq for one in log] == list(range(1, len(log) + 1))
            said = [(one.body.user.id, one.body.cid) for one in log if one.body.cid is not None]
            assert len(said) == len(set(said)), "stored twice"
            shown = {one.seq: entry(one) for one in log}
            for device in self.devices:
                mine = [int(cid.split("-")[1]) for _, cid in said if cid.startswith(device.name + "-")]
                assert mine == sorted(mine), "one sender's order"
                self._compare(device, room, shown)

    def check_acknowledged(self) -> None:
        """What was acknowledged is in the log, under the number that was named."""
        for room in ROOMS:
            numbers = {one.body.cid: one.seq for one in self.read(room).entries}
            for device in self.devices:
                for (where, cid), seq in device.acknowledged.items():
                    assert where != room or numbers[cid] == seq, "acknowledged and lost"

    def _compare(self, device: Device, room: str, shown: dict[int, Frame]) -> None:
        place = device.places.get(room)
        if place is None:
            return
        for had in place.entries:
            assert had["seq"] in shown, f"a ghost: {had}"
            now = shown[had["seq"]]
            gone = {"text", "deleted", "mentions", "cid"} if now.get("deleted") else {"cid"}
            for word in (had.keys() | now.keys()) - gone:
                assert had.get(word) == now.get(word), f"another stands there now: {had} {now}"
        if place.seq == len(shown):
            wanted = {one["seq"]: one for one in self.history(room, device.me) if one["seq"] >= place.first}
            assert place.view == wanted
