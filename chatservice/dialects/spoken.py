"""Events as sentences: what the text-like dialects have in common."""

from __future__ import annotations

from html import escape as escape_html

from chatservice.dialects.phrases import list_nicks, say
from chatservice.domain.events import Entered, Entry, Event, Left, Members, Noticed, Renamed, Welcomed


class Spoken:
    """Tells events as ready sentences in one language; dialects override what they say differently."""

    def __init__(self, lang: str, escape: bool) -> None:
        self.lang = lang
        self._escape = escape

    def shown(self, text: str) -> str:
        """`text` as it may stand where the taught pages put it: into innerHTML."""
        return escape_html(text, quote=True) if self._escape else text

    def entry(self, entry: Entry) -> str:
        """An entry of the log."""
        body = entry.body
        return f"* {body.user.nick} {body.text}" if body.action else self.message(body.user.nick, body.text)

    def message(self, nick: str, text: str) -> str:
        """What somebody said."""
        return say(self.lang, "says", {"nick": nick, "text": text})

    def left(self, nick: str) -> str:
        """Somebody is gone."""
        return say(self.lang, "leave", {"nick": nick})

    def sentence(self, event: Event) -> str | None:
        """The event in words; None when there is nothing to say."""
        match event:
            case Entry():
                return self.entry(event)
            case Entered(user=user) | Welcomed(user=user):
                return say(self.lang, "enter", {"nick": user.nick})
            case Left(user=user):
                return self.left(user.nick)
            case Renamed(user=user, was=was):
                return "* " + say(self.lang, "renamed", {"nick": user.nick, "was": was})
            case Members(room=room, users=users, n=n):
                nicks = list_nicks(self.lang, [user.nick for user in users], n)
                return "* " + say(self.lang, "members", {"room": room, "n": n, "nicks": nicks})
            case Noticed(about=about, params=params):
                return "* " + say(self.lang, about, params)
        return None
