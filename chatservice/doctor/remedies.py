"""What can be wrong between people and the service, and the line that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Remedy:
    """One fault.

    :ivar name: a stable word.
    :ivar means: what people notice, in one sentence.
    :ivar nginx: what to say in the location; so `caddy` in the site, `haproxy` in front or back end, `service` in
        chat.toml. Empty where there is nothing to say.
    """

    name: str
    means: str
    nginx: str = ""
    caddy: str = ""
    haproxy: str = ""
    service: str = ""


class Fault(Enum):
    """All of them."""

    UNREACHABLE = Remedy(
        "unreachable",
        "nobody answers there: is the address right, does the proxy run, is the port open?",
        nginx="listen 443 ssl;  # and the firewall lets it through",
        caddy="chat.example.org {  # with https on port 443; and the firewall lets it through",
        haproxy="bind :443 ssl crt /etc/haproxy/chat.example.org.pem  # and the firewall lets it through",
    )
    NO_SUCH_NAME = Remedy(
        "name",
        "nobody knows that name: it is mistyped, or has no record in the DNS (A, AAAA) yet",
    )
    CERTIFICATE = Remedy(
        "certificate",
        "browsers warn of the certificate, and other clients refuse it",
        nginx="ssl_certificate …/fullchain.pem;  # with the intermediate ones, not cert.pem alone",
        caddy="chat.example.org {  # by its public name, and Caddy fetches the certificate",
        haproxy="bind :443 ssl crt FILE  # certificate, intermediate ones and key in one file",
    )
    BACKEND = Remedy(
        "backend",
        "the proxy does not get through to the service",
        nginx="proxy_pass http://127.0.0.1:8080;  # where `systemctl status chat.socket` says it listens",
        caddy="reverse_proxy 127.0.0.1:8080",
        haproxy="server here 127.0.0.1:8080 send-proxy-v2  # and proxy-protocol = true in chat.toml, or neither",
    )
    PATH = Remedy(
        "path",
        "the chat is not at that path; the proxy hands the path on as it is",
        nginx="location /chat/ { proxy_pass http://127.0.0.1:8080/;  # with the slash at the end",
        caddy="handle_path /chat/* {  # not handle",
        haproxy="http-request replace-path /chat/(.*) /\\1",
    )
    HOST = Remedy(
        "host",
        "the service does not know that name, so it answers nobody under it",
        nginx="proxy_set_header Host $http_host;",
        caddy="remove `header_up Host`",
        haproxy="remove `http-request set-header Host`",
        service='public-url = "{url}"',
    )
    NO_UPGRADE = Remedy(
        "no-upgrade",
        "WebSockets do not get through: the page cannot connect",
        nginx="proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"
        " proxy_set_header Connection $chat_connection;  # with the map of deploy/nginx.conf",
        caddy="remove `header_up -Upgrade`, `header_up -Connection` and `transport http { versions 2 }`",
        haproxy="mode http  # and remove `http-request del-header upgrade` and `option httpclose`",
    )
    ORIGIN = Remedy(
        "origin",
        "the page is served, but may not connect: the service does not take it for its own",
        nginx="proxy_set_header Host $http_host;",
        caddy="remove `header_up Host`",
        haproxy="remove `http-request set-header Host`",
        service='public-url = "{url}"',
    )
    NULL_ORIGIN = Remedy(
        "null-origin",
        "any file or sandboxed page may connect: the service believes that it is for this computer only",
        service='trusted-proxy = ["127.0.0.1"] and public-url = "{url}"',
    )
    ONE_ADDRESS = Remedy(
        "one-address",
        "everybody seems to come from one address and has to share what one may have",
        nginx="proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        haproxy="option forwardfor  # or send-proxy-v2",
        service='trusted-proxy = ["127.0.0.1"]',
    )
    BUFFERING = Remedy(
        "buffering",
        "streams are held back: what is said comes late or not at all",
        nginx="proxy_buffering off;  # no proxy_ignore_headers X-Accel-Buffering, no gzip for text/event-stream",
        caddy="flush_interval -1  # in reverse_proxy; and no encode for text/event-stream",
        haproxy="remove `compression algo` for text/event-stream; option http-no-delay",
    )
    IDLE = Remedy(
        "idle-timeout",
        "who is quiet is cut off before the service pings (every 25 s)",
        nginx="proxy_read_timeout 75s; proxy_send_timeout 75s;",
        caddy="remove read_timeout and write_timeout in `transport http` and in `servers`",
        haproxy="timeout tunnel 1h  # and timeout client 75s, timeout server 75s",
    )
    STICKINESS = Remedy(
        "stickiness",
        "Socket.IO's long-polling goes to another node with each request, which does not know the session",
        nginx="ip_hash;  # in the upstream block",
        caddy="lb_policy ip_hash  # in reverse_proxy",
        haproxy="balance source  # in the back end",
    )
    BROKEN = Remedy("broken", "something answers, but not as a chat does")
