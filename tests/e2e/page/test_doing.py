"""What one does with messages, rooms and people, seen from both sides."""

from __future__ import annotations

from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.page.thepage import ThePage
from e2e.server import Server


def act(visitor: ThePage, text: str, name: str) -> None:
    """Point at a message and press one of its actions."""
    visitor.row(text).hover()
    visitor.page.get_by_role("toolbar").get_by_role("button", name=name, exact=True).click()


def test_reply_edit_react_delete(shared_server: Server, browsing: Browsing) -> None:
    """A message is answered, changed, reacted to and deleted, and the other one sees each of it."""
    ann, bob = (
        ThePage(browsing, shared_server, "Ann", query="?room=tea"),
        ThePage(browsing, shared_server, "Bob", query="?room=tea"),
    )
    ann.say("tea is redy")
    bob.shows("tea is redy")
    act(bob, "tea is redy", "Reply")
    bob.say("thank you")
    expect(ann.page.locator(".quote")).to_contain_text("tea is redy")
    bob.shows("tea is redy", "thank you")  # what is pointed at moves when that comes
    act(bob, "tea is redy", "React 👍")
    chip = ann.page.locator(".reactions button")
    expect(chip).to_have_text("👍 1")
    expect(chip).to_have_attribute("aria-pressed", "false")
    chip.click()
    expect(bob.page.locator(".reactions button")).to_have_text("👍 2")
    ann.box.press("ArrowUp")
    expect(ann.box).to_have_value("tea is redy")
    ann.say("tea is ready")
    expect(bob.texts.first).to_have_text("tea is ready (edited)")
    expect(bob.page.locator(".quote")).to_contain_text("tea is ready")
    act(ann, "tea is ready", "Delete")
    ann.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(bob.page.locator(".gone")).to_have_text("This message was deleted")
    expect(bob.texts).to_have_text(["thank you"])
    expect(ann.page.get_by_role("toolbar")).to_have_count(0)


def test_by_keys_alone(shared_server: Server, browsing: Browsing) -> None:
    """From the box to the messages, to the actions of one, and back; the focus is never lost."""
    ann = ThePage(browsing, shared_server, "Ada", query="?room=keys")
    ann.say("one")
    ann.say("two")
    ann.shows("one", "two")
    expect(ann.box).to_be_focused()
    ann.scroller.focus()
    ann.page.keyboard.press("ArrowUp")
    expect(ann.row("two")).to_be_focused()
    ann.page.keyboard.press("ArrowUp")
    expect(ann.row("one")).to_be_focused()
    ann.page.keyboard.press("Enter")
    toolbar = ann.page.get_by_role("toolbar")
    expect(toolbar.get_by_role("button").first).to_be_focused()
    for _ in range(4):
        ann.page.keyboard.press("ArrowRight")
    expect(toolbar.get_by_role("button", name="Reply")).to_be_focused()
    ann.page.keyboard.press("Escape")
    expect(ann.row("one")).to_be_focused()
    ann.page.keyboard.press("Escape")
    expect(ann.box).to_be_focused()


def test_unread_elsewhere(shared_server: Server, browsing: Browsing) -> None:
    """What is said in other rooms is counted there and in the title; to go there is to read it."""
    ann, bob = (
        ThePage(browsing, shared_server, "Ina", query="?room=pot"),
        ThePage(browsing, shared_server, "Jon", query="?room=pot"),
    )
    ann.say("/join lobby")
    expect(ann.page.locator("h1")).to_have_text("lobby")
    bob.say("for all")
    pot = ann.page.get_by_role("button", name="pot")
    expect(pot.locator(".dot")).to_be_visible()
    bob.say("for @Ina too")
    expect(pot.locator(".badge.loud")).to_contain_text("1")
    expect(ann.page).to_have_title("(2) lobby · Chat")
    ann.page.keyboard.press("Alt+Shift+ArrowDown")
    expect(ann.page.locator("h1")).to_have_text("pot")
    expect(ann.page.locator("li.unread + li .text")).to_have_text("for all")
    expect(ann.page).to_have_title("pot · Chat")
    ann.page.go_back()
    expect(ann.page.locator("h1")).to_have_text("lobby")


def test_talking_alone(shared_server: Server, browsing: Browsing) -> None:
    """A direct conversation begins in the list of members and shows up at the other one's by itself."""
    ann, bob = (
        ThePage(browsing, shared_server, "Kim", query="?room=alone"),
        ThePage(browsing, shared_server, "Leo", query="?room=alone"),
    )
    ann.page.locator("aside .person", has_text="Leo").click()
    ann.page.get_by_role("button", name="Message", exact=True).click()
    expect(ann.page.locator("h1")).to_have_text("Leo")
    ann.say("psst")
    ann.shows("psst")
    conversation = bob.page.get_by_role("list", name="Direct messages").get_by_role("button")
    expect(conversation).to_contain_text("Kim")
    expect(conversation.locator(".badge")).to_contain_text("1")
    conversation.click()
    bob.shows("psst")


def test_keeping_order(shared_server: Server, browsing: Browsing) -> None:
    """The owner signs in with their token and mutes somebody; that can be undone; others have no such menu."""
    eve = ThePage(browsing, shared_server, "Eve", query="?room=order")
    eve.page.locator("aside .person").first.click()
    expect(eve.page.get_by_role("button", name="Ban")).to_have_count(0)
    olga = ThePage(browsing, shared_server, "Olga", query="?room=order")
    olga.page.get_by_role("button", name="Settings").click()
    olga.page.get_by_role("button", name="Sign in").click()
    olga.page.get_by_role("button", name="I have a token").click()
    olga.page.locator("input[name=token]").fill((shared_server.data / "owner.token").read_text().strip())
    olga.page.get_by_role("dialog").locator("button[type=submit]").click()
    expect(olga.page.get_by_role("button", name="Sign out")).to_be_visible()
    olga.page.keyboard.press("Escape")
    olga.page.locator("aside .person", has_text="Eve").click()
    olga.page.get_by_role("button", name="Mute for 10 minutes").click()
    expect(eve.page.locator("li.note", has_text="muted Eve")).to_be_attached()
    eve.say("may I?")
    expect(eve.pending.locator(".fate")).to_contain_text("You are muted here.")
    olga.page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(eve.page.locator("li.note", has_text="let Eve speak again")).to_be_attached()
    eve.pending.get_by_role("button", name="Retry").click()
    eve.shows("may I?")
    expect(olga.page.locator(".me bdi")).to_have_text("Olga")


def test_language_and_reload(shared_server: Server, browsing: Browsing) -> None:
    """Another language is there at once, the draft stays, and both outlive a reload."""
    ann = ThePage(browsing, shared_server, "Mia", query="?room=words")
    ann.box.fill("half a sentence")
    ann.page.get_by_role("button", name="Settings").click()
    ann.page.get_by_label("Language").select_option("zh-CN")
    expect(ann.page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(ann.page.get_by_role("dialog")).to_contain_text("设置")
    ann.page.keyboard.press("Escape")
    expect(ann.box).to_have_value("half a sentence")
    ann.page.reload()
    expect(ann.box).to_have_value("half a sentence")
    expect(ann.page.locator("html")).to_have_attribute("lang", "zh-CN")
