"""The plain HTTP side: the small page, its files, and where there is nothing to see."""

from __future__ import annotations

import gzip
import re
from io import BytesIO
from pathlib import Path

import pytest

from chatservice.transports.headers import security_headers
from wire.house import Answer, House, read_answer

STATIC = Path(__file__).parents[2] / "chatservice" / "static"
FILES = sorted(file.name for file in STATIC.iterdir() if file.suffix in (".html", ".js", ".css", ".svg", ".txt"))
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


def get(house: House, path: str = "/lite", *headers: str, method: str = "GET", body: str = "") -> Answer:
    """One request on a connection of its own."""
    transport = house.connect(house.door)
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost:8080", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    house.feed(transport, ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1"))
    answer = read_answer(transport.take())
    transport.lose()
    return answer


def safe(answer: Answer) -> bool:
    """Whether it carries every security header and does not say which server this is."""
    wanted = {name.decode().lower(): value.decode() for name, value in security_headers().items()}
    return wanted.items() <= answer.headers.items() and "server" not in answer.headers


def test_the_page(house: House) -> None:
    """A plain GET on /lite is the small page."""
    answer = get(house)
    assert (answer.status, answer.headers["content-type"]) == (200, TYPES[".html"])
    assert answer.body == (STATIC / "lite.html").read_bytes()
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert get(house, "/lite?room=attic&nick=Ann").body == answer.body


@pytest.mark.parametrize("name", FILES)
def test_every_file(house: House, name: str) -> None:
    """Each file of the page is served with its type, plain and zipped."""
    answer = get(house, f"/static/{name}")
    assert (answer.status, answer.headers["content-type"]) == (200, TYPES[Path(name).suffix])
    assert answer.body == (STATIC / name).read_bytes() and "content-encoding" not in answer.headers
    zipped = get(house, f"/static/{name}", "Accept-Encoding: br, gzip")
    assert zipped.headers["content-encoding"] == "gzip" and gzip.decompress(zipped.body) == answer.body
    assert answer.headers["vary"] == zipped.headers["vary"] == "Accept-Encoding"
    assert safe(answer) and safe(zipped)


def test_the_page_asks_for_nothing_else(house: House) -> None:
    """Whatever the page and its files name is there: no address leads elsewhere or nowhere."""
    for name in FILES:
        text = (STATIC / name).read_text("utf-8")
        for found in re.findall(r'(?:src|href)="([^"#]+)"|from "([^"]+)"|import\("([^"]+)"\)', text):
            path = next(part for part in found if part).removeprefix("../").replace("./", "/static/", 1)
            assert get(house, path if path.startswith("/") else f"/{path}").status == 200, (name, path)
        assert "http://" not in text.replace("http://www.w3.org/", "") and "https://" not in text, name


def test_an_unchanged_file(house: House) -> None:
    """A browser that has the file gets 304 and no body; one that has another version gets the file."""
    tag = get(house).headers["etag"]
    again = get(house, "/lite", f"If-None-Match: {tag}")
    assert (again.status, again.body) == (304, b"") and safe(again)
    assert again.headers["etag"] == tag
    assert "content-length" not in again.headers and again.headers["vary"] == "Accept-Encoding"
    weak = f'If-None-Match: "other", W/{tag}'  # as a proxy that packs gives it back
    assert get(house, "/lite", weak).status == 304
    assert get(house, "/lite", 'If-None-Match: "other"').status == 200
    assert get(house, "/static/lite.js").headers["etag"] != tag
    assert get(house).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/lite", "/static/lite.js", "/text", "/nothing"])
def test_head(house: House, path: str) -> None:
    """HEAD tells the same as GET without the body."""
    told, asked = get(house, path, method="HEAD"), get(house, path)
    assert (told.status, told.body) == (asked.status, b"") and safe(told)
    assert told.headers["content-type"] == asked.headers["content-type"]


@pytest.mark.parametrize("path", ["/v1", "/text", "/echo", "/scream", "/text?nick=Ann"])
def test_a_websocket_address_in_the_address_bar(house: House, path: str) -> None:
    """A plain GET on a WebSocket path is 426 with one line that says what to do."""
    answer = get(house, path)
    assert (answer.status, answer.reason, answer.headers["upgrade"]) == (426, "Upgrade Required", "websocket")
    assert answer.body.decode() == "this is a WebSocket address; open it with new WebSocket(…)\n"
    assert safe(answer)


NOWHERE = [
    "/nothing",
    "/text/",
    "/static",
    "/static/",
    "/index.html",
    "/lite/",
    "/app",
    "/app/",
    "/app/index.html",
    "/app/assets.json",
    "/chat.db",
    "/static/nothing.js",
]
UPWARDS = [
    "/../../etc/passwd",
    "/static/../../../etc/passwd",
    "/static/..%2f..%2fservice.py",
    "/%2e%2e/%2e%2e/etc/passwd",
    "//etc/passwd",
    "/static//lite.js",
    "/static/lite.js/",
    "/static/lite.js%00.png",
    "/static/.",
    "/static/%2e%2e",
    "/\\..\\..\\etc",
    "/.env",
]


@pytest.mark.parametrize("path", [*NOWHERE, *UPWARDS])
def test_unknown_paths(house: House, path: str) -> None:
    """There is no path to anything but the page: 404, the endpoints listed, nothing reflected."""
    answer = get(house, path)
    assert (answer.status, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    for endpoint in ("  /  ", "/lite", "/v1", "/text", "/echo", "/scream", "/api/rooms/"):
        assert endpoint in answer.body.decode()
    assert "passwd" not in answer.body.decode() and "nothing.js" not in answer.body.decode()
    assert safe(answer)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "NONSENSE"])
def test_other_methods(house: House, method: str) -> None:
    """The page is only for reading: other methods are refused in our own words."""
    for path in ("/", "/lite", "/static/lite.js"):
        answer = get(house, path, method=method, body="x=1")
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD") and safe(answer)
        assert answer.body == b"this can only be read: GET or HEAD\n"


@pytest.mark.parametrize("length", ["Content-Length: 100000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("path", ["/", "/api/rooms/lobby/messages"])
def test_an_endless_body(house: House, path: str, length: str) -> None:
    """Nobody fills our memory or disk with a body: it is refused as soon as it is known to be above 64 KiB, no
    more of it is kept, and whoever goes on sending it is cut off."""
    transport = house.connect(house.door)
    house.feed(transport, f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n".encode())
    chunked, chunk = length.startswith("Transfer"), b"x" * 4096
    (request,) = transport.protocol._channel.requests
    for n in range(1, 40):
        assert transport.disconnecting == (n > 17 or not chunked), n
        house.feed(transport, b"1000\r\n%s\r\n" % chunk if chunked else chunk)
        assert type(request.content) is BytesIO and request.content.tell() <= 65_536
    house.feed(transport, b"0\r\n\r\n" if chunked else b"")
    answer = read_answer(transport.take())
    assert (answer.status, answer.body) == (413, b"") and safe(answer)  # and nothing was said with half of it
    house.wait(4)
    assert not transport.aborted
    house.wait(1)
    assert transport.aborted
    transport.lose()
    house.wait(6)
    assert len(house.around.farewells) == 0 and house.hub.rooms == {}


def test_an_unknown_range_is_no_trouble(house: House) -> None:
    """Ranges are not served: many overlapping ones cost one file."""
    answer = get(house, "/lite", "Range: bytes=0-" + ",0-" * 1000)
    assert answer.status == 200 and answer.body == (STATIC / "lite.html").read_bytes()


def test_a_redirect_is_never_given(house: House) -> None:
    """No query makes us send anybody elsewhere."""
    for path in ("/?redirect=https://evil.example/", "/text?redirect=https://evil.example/&after=1"):
        answer = get(house, path)
        assert answer.status in (200, 426) and "location" not in answer.headers


def test_two_requests_on_one_connection(house: House) -> None:
    """Requests that come at once are answered in their order."""
    transport = house.connect(house.door)
    one = b"GET /static/lite.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    house.feed(transport, one + one.replace(b"/static/lite.js", b"/nothing"))
    told = transport.take()
    assert [line.split()[1] for line in re.findall(rb"HTTP/1\.1 \d+", told)] == [b"200", b"404"]


def test_a_kept_alive_connection_is_not_kept_for_ever(house: House) -> None:
    """A browser that asks nothing more is let go."""
    transport = house.connect(house.door)
    house.feed(transport, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    house.wait(14)
    assert not transport.disconnecting
    house.wait(2)
    assert transport.disconnecting
    house.wait(20)
    assert transport.aborted
