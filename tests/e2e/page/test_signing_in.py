"""Accounts and invitations, as a person meets them on the page."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from e2e.browsing import Browsing
from e2e.page.thepage import ThePage
from e2e.server import Server
from e2e.test_accounts import chatservice

PASSWORD = "correct horse"


def test_signing_in_at_the_door(shared_server: Server, browsing: Browsing) -> None:
    """Name and password let one in under that name; a wrong one says so; signing out makes a guest of one."""
    assert chatservice(shared_server.directory, "user", "add", "Ann", typed=PASSWORD).returncode == 0
    ann = ThePage(browsing, shared_server, None, query="?room=tea").page
    ann.get_by_role("button", name="Sign in").click()
    expect(ann.get_by_role("heading", name="Sign in")).to_be_visible()
    ann.get_by_label("Name").fill("ann")
    browsing.may_refuse()
    ann.get_by_label("Password").fill("wrong horse")
    ann.locator("button[type=submit]").click()
    expect(ann.get_by_role("alert")).to_have_text("That name and that password do not belong together.")
    ann.get_by_label("Password").fill(PASSWORD)
    ann.get_by_label("Password").press("Enter")
    expect(ann.locator(".me bdi")).to_have_text("Ann")
    ann.reload()
    expect(ann.locator(".me bdi")).to_have_text("Ann")
    ann.get_by_role("button", name="Settings").click()
    ann.get_by_role("button", name="Sign out", exact=True).click()
    expect(ann.locator(".me bdi")).to_have_text(re.compile("user[0-9]+|Ann"))
    expect(ann.get_by_role("button", name="Sign in")).to_be_visible()


def test_guests_are_not_asked(shared_server: Server, browsing: Browsing) -> None:
    """Whoever has no account types a name, as ever, and can turn back from the other form."""
    page = ThePage(browsing, shared_server, None, query="?room=tea").page
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Go on as a guest").click()
    page.get_by_placeholder("Name").fill("Gus")
    page.keyboard.press("Enter")
    expect(page.locator(".me bdi")).to_have_text("Gus")


def test_an_invitation(shared_server: Server, browsing: Browsing) -> None:
    """The link takes a guest into a private room, leaves the address, and works for one."""
    chatservice(shared_server.directory, "user", "add", "Olga", "--role", "owner", typed=PASSWORD)
    olga = ThePage(browsing, shared_server, None, query="?room=den")
    olga.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    olga.page.get_by_role("button", name="Sign in").click()
    expect(olga.page.get_by_role("heading", name="Sign in")).to_be_visible()
    olga.page.get_by_label("Name").fill("Olga")
    olga.page.get_by_label("Password").fill(PASSWORD)
    olga.page.get_by_label("Password").press("Enter")
    expect(olga.page.locator(".me bdi")).to_have_text("Olga")
    link = olga.page.evaluate(
        """async () => {
          const { ChatClient } = await import("/client.js");
          const key = Object.keys(localStorage).find((name) => name.endsWith(".token"));
          const token = JSON.parse(localStorage.getItem(key));
          const chat = new ChatClient("v1", { token: token });
          await chat.connect();
          await chat.ask("join", { room: "den" });
          await chat.ask("mod", { room: "den", action: "private", value: "on" });
          return (await chat.ask("invite", { room: "den" })).invite;
        }"""
    )
    bob = ThePage(browsing, shared_server, "Bob", query=f"#room=den&invite={link}")
    expect(bob.page.locator("main header")).to_contain_text("den")
    assert "invite" not in bob.page.url
    bob.say("thanks for the invitation")
    olga.shows("thanks for the invitation")
    eve = ThePage(browsing, shared_server, "Eve", query=f"#room=den&invite={link}")
    expect(eve.page.locator(".toast")).to_contain_text("You may not do that here.")


def is_signed_in(
    server: Server, browsing: Browsing, name: str, password: str = PASSWORD, room: str = "tea"
) -> ThePage:
    """Somebody with an account, in a room."""
    visitor = ThePage(browsing, server, None, query=f"?room={room}")
    visitor.page.get_by_role("button", name="Sign in").click()
    expect(visitor.page.get_by_role("heading", name="Sign in")).to_be_visible()
    visitor.page.get_by_label("Name").fill(name)
    visitor.page.get_by_label("Password").fill(password)
    visitor.page.get_by_label("Password").press("Enter")
    expect(visitor.page.locator(".me bdi")).to_have_text(name)
    visitor.is_in()
    return visitor


def test_another_password(shared_server: Server, browsing: Browsing) -> None:
    """Who has an account changes the password in the settings and stays signed in there; what was signed in
    elsewhere is not any more. Signing out everywhere ends the rest. A guest sees neither."""
    chatservice(shared_server.directory, "user", "add", "Pia", typed=PASSWORD)
    elsewhere, ann = (is_signed_in(shared_server, browsing, "Pia") for _ in range(2))
    page = ann.page
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Change password").click()
    browsing.may_refuse()
    page.get_by_label("Password", exact=True).fill("wrong horse")
    page.get_by_label("New password").fill("better horse")
    page.locator(".signin button[type=submit]").click()
    expect(page.locator(".signin [role=alert]")).to_have_text("That is not your password.")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator(".signin button[type=submit]").click()
    expect(page.locator(".toast")).to_contain_text("The password is changed")
    expect(page.locator(".signin")).to_have_count(0)
    expect(elsewhere.bar).to_contain_text("The token was not accepted.")
    page.keyboard.press("Escape")
    expect(page.locator(".me bdi")).to_have_text("Pia")
    ann.say("still here")
    ann.shows("still here")

    third = is_signed_in(shared_server, browsing, "Pia", "better horse")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_role("button", name="Change password")).to_have_count(0)
    expect(page.get_by_role("button", name="Sign out everywhere")).to_have_count(0)
    expect(third.bar).to_contain_text("The token was not accepted.")


def test_private_and_read_only(shared_server: Server, browsing: Browsing) -> None:
    """Who moderates makes the room private and read-only, and sees how it stands, also after a reload; others are
    not asked."""
    chatservice(shared_server.directory, "user", "add", "Oda", "--role", "owner", typed=PASSWORD)
    bob = ThePage(browsing, shared_server, "Ben", query="?room=shed")
    olga = is_signed_in(shared_server, browsing, "Oda", room="shed")
    bob.page.get_by_role("button", name="Room menu").click()
    expect(bob.page.get_by_role("dialog")).to_be_visible()
    expect(bob.page.get_by_role("dialog").get_by_role("checkbox")).to_have_count(0)
    bob.page.keyboard.press("Escape")
    expect(bob.page.get_by_role("dialog")).to_have_count(0)

    def switch(name: str) -> Locator:
        return olga.page.get_by_role("dialog").get_by_role("checkbox", name=name)

    olga.page.get_by_role("button", name="Room menu").click()
    expect(switch("Read-only")).not_to_be_checked()
    switch("Read-only").check()
    expect(bob.page.locator(".note", has_text="Oda locked the room")).to_be_visible()
    bob.say("may I?")
    expect(bob.page.locator("li.failed")).to_have_count(1)
    olga.page.reload()
    olga.is_in()
    olga.page.get_by_role("button", name="Room menu").click()
    expect(switch("Read-only")).to_be_checked()
    switch("Read-only").uncheck()
    expect(bob.page.locator(".note", has_text="Oda opened the room")).to_be_visible()
    pace = olga.page.get_by_role("dialog").get_by_label("Between two messages")
    expect(pace).to_have_value("0")
    pace.select_option("30")
    expect(bob.page.locator(".note", has_text="Oda set slow mode to 30 s")).to_be_visible()
    olga.page.reload()
    olga.is_in()
    olga.page.get_by_role("button", name="Room menu").click()
    expect(pace).to_have_value("30")
    switch("Private").check()
    expect(olga.page.get_by_role("button", name="Copy an invitation")).to_be_visible()
    expect(bob.page.locator(".toast")).to_contain_text("shed")


def test_orders_are_typed_too(shared_server: Server, browsing: Browsing) -> None:
    """`/kick` and `/mute` of a name with spaces do what the menu does, with a reason that everybody reads; a name
    that nobody has is told."""
    chatservice(shared_server.directory, "user", "add", "Olga", "--role", "owner", typed=PASSWORD)
    olga = is_signed_in(shared_server, browsing, "Olga", room="yard")
    eve = ThePage(browsing, shared_server, "Eve van Dam", query="?room=yard")
    expect(olga.page.get_by_text("Eve van Dam").first).to_be_visible()
    olga.say("/kick Eva")
    expect(olga.page.locator("main")).to_contain_text("There is nobody called Eva here.")
    olga.say("/mute eve van dam too loud")
    expect(eve.page.locator("main")).to_contain_text("Olga muted Eve van Dam")
    olga.say("/kick @Eve van Dam that is enough")
    expect(olga.page.locator("main")).to_contain_text("that is enough")
    expect(eve.page.locator(".toast, main")).to_contain_text(["removed"])
