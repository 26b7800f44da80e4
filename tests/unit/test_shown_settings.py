"""The settings as the operator's page shows them."""

from __future__ import annotations

from chatservice.config import OPTIONS
from chatservice.config.settings import gather
from chatservice.preparing import shown_settings


def test_each_setting_in_words_with_its_source() -> None:
    """Every option is told, flag over environment over default; lists and flags in words."""
    given = {"lang": "zh-CN", "origin": ["https://a.example", "https://b.example"], "compression": True}
    environment = {"CHAT_LANG": "en", "CHAT_DEFAULT_ROOM": "tea", "CHAT_STORE": ""}
    told = {name: (value, source) for name, value, source in shown_settings(gather(given, environment))}
    assert set(told) == {option.name for option in OPTIONS}
    assert told["lang"] == ("zh-CN", "flag") and told["default-room"] == ("tea", "environment")
    assert told["origin"] == ("https://a.example, https://b.example", "flag")
    assert told["compression"] == ("yes", "flag") and told["no-guests"] == ("no", "default")
    assert told["store"] == ("sqlite:", "default")


def test_no_password_is_shown() -> None:
    """Whoever may look at the page need not know how to get at the log."""
    for store in ("redis://ann:secret@127.0.0.1/0", "redis://h?password=secret", "unix:/s?password=secret"):
        told = {one.name: one.value for one in shown_settings(gather({"store": store}, {}))}
        assert told["store"] == store.partition(":")[0] + ":…"
        told = {
            one.name: one.value for one in shown_settings(gather({"socketio-emitters": [store, "unix:/x"]}, {}))
        }
        assert told["socketio-emitters"] == store.partition(":")[0] + ":…, unix:…"
    told = {one.name: one.value for one in shown_settings(gather({"store": "redis://a:my secret@h unix:/s"}, {}))}
    assert told["store"] == "redis:… … unix:…"
    archives = (
        ("postgresql://ann:secret@h/db", "postgresql:…"),
        ("postgresql://ann:my secret@h:1/db", "postgresql:…"),
        ("sqlite:/a.db", "sqlite:/a.db"),
    )
    for archive, shown in archives:
        told = {one.name: one.value for one in shown_settings(gather({"archive": archive}, {}))}
        assert told["archive"] == shown
