"""Every option, once: flags, variables, the file, `--help`, docs/configuration.md, deploy/chat.toml come of it."""

from __future__ import annotations

from dataclasses import dataclass

from chatservice.dialects.phrases import LANGUAGES
from chatservice.dialects.registry import DEFAULTS
from chatservice.domain.limits import ECHO_BYTES, FRAME_BYTES, MESSAGES
from chatservice.transports.admission import PER_ADDRESS, PER_MINUTE

LISTENING, PEOPLE, TLS, STORAGE = "Listening", "Who may come in", "TLS", "Storage"
LIMITS, DEFAULT, LOGGING, SETTINGS = "Limits", "What peers get", "Log and metrics", "Settings"
GROUPS = (LISTENING, PEOPLE, TLS, STORAGE, LIMITS, DEFAULT, LOGGING, SETTINGS)
"""In the order in which they are shown."""

LOG_FORMATS = ("auto", "human", "json")
LOG_LEVELS = ("debug", "info", "warn", "error")


@dataclass(frozen=True, slots=True)
class Option:
    """One setting in all its spellings: `--name`, `CHAT_NAME`, and `name` in the file.

    :ivar group: one of `GROUPS`.
    :ivar kind: `value`, `number`, `list` (repeatable; white space separates in the environment) or `flag`.
    :ivar help: what it does, as an order.
    :ivar unit: what a number counts.
    :ivar otherwise: what holds by default where that is no fixed word.
    :ivar reloads: whether SIGHUP takes a change of it.
    :ivar in_file: whether it may stand in the file.
    :ivar seldom: whether few need it: then `--help` leaves it to `--help-all`.
    """

    group: str
    name: str
    kind: str
    default: str
    help: str
    unit: str = ""
    otherwise: str = ""
    reloads: bool = False
    in_file: bool = True
    seldom: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that says the same."""
        return "CHAT_" + self.name.upper().replace("-", "_")

    @property
    def bracket(self) -> str:
        """The default and its unit, as people read it; empty for a flag and where there is none."""
        return self.otherwise or f"{self.default} {self.unit}".strip()

    @property
    def described(self) -> str:
        """`help` and the default in brackets."""
        return f"{self.help} [{self.bracket}]" if self.bracket else self.help


OPTIONS: tuple[Option, ...] = (
    Option(
        LISTENING,
        "listen",
        "list",
        "tcp:8080:interface=127.0.0.1",
        "Serve the page and WebSocket at this Twisted endpoint; ssl:PORT:privateKey=FILE:certKey=FILE is"
        " wss, systemd:NAME the sockets of that name (docs/deploy.md). Repeatable.",
    ),
    Option(
        LISTENING,
        "line",
        "list",
        "tcp:9000:interface=127.0.0.1",
        "Serve TCP lines (telnet, nc) at this endpoint; none turns them off. Repeatable.",
    ),
    Option(
        LISTENING,
        "public-url",
        "value",
        "",
        "Say where people find the page, such as https://chat.example.org/; the page may then also connect to"
        " there by its name, which Safari before 15.4 needs.",
    ),
    Option(
        LISTENING,
        "trusted-proxy",
        "list",
        "",
        "Believe proxies in this network about whom they bring (X-Forwarded-For, PROXY protocol): 127.0.0.1,"
        " 10.0.0.0/8, or unix for those who come over a UNIX socket. Repeatable.",
    ),
    Option(
        LISTENING,
        "proxy-protocol",
        "flag",
        "",
        "Expect the PROXY protocol (version 1 or 2) from trusted proxies at the beginning of each connection.",
        seldom=True,
    ),
    Option(
        LISTENING,
        "workers",
        "number",
        "1",
        "Be so many processes, one a core, behind the same ports (docs/scaling.md). More than one need a --store"
        " that several share. SIGHUP then replaces one after the other, and every setting takes effect.",
        "processes",
    ),
    Option(
        LISTENING,
        "socketio-emitters",
        "list",
        "",
        "Take what back ends emit with Socket.IO's Redis emitters or python-socketio's from this Redis: an address"
        " as --store has it; ?key=, &channel= and &nick= say what is not usual (docs/socketio.md). Repeatable.",
        seldom=True,
    ),
    Option(
        PEOPLE,
        "origin",
        "list",
        "",
        "Let pages of this origin connect, such as https://www.example.org. Those of our own host may anyway."
        " Repeatable.",
        reloads=True,
    ),
    Option(
        PEOPLE,
        "insecure-any-origin",
        "flag",
        "",
        "Let the page of any site act for whoever looks at it.",
        seldom=True,
    ),
    Option(
        PEOPLE,
        "no-guests",
        "flag",
        "",
        "Let nobody in without an account (chatservice user add) or a token of the site (--site-key).",
    ),
    Option(
        PEOPLE,
        "site-key",
        "list",
        "",
        "Believe JWTs signed with this key: [KID=]ALGORITHM:FILE, where ALGORITHM is HS256 (FILE has the secret),"
        " RS256 or EdDSA (FILE has the public key in PEM). A FILE without a slash is looked for in"
        " $CREDENTIALS_DIRECTORY first. Repeatable: name both while one replaces the other.",
    ),
    Option(PEOPLE, "site-audience", "value", "chatservice", "Demand this aud in them.", seldom=True),
    Option(
        PEOPLE, "site-longest", "number", "3600", "Demand that exp in them is no further away.", "s", seldom=True
    ),
    Option(
        PEOPLE,
        "owner-token-file",
        "value",
        "",
        "Read the owner's token from this file.",
        otherwise="owner-token in $CREDENTIALS_DIRECTORY, else owner.token in the data directory",
        seldom=True,
    ),
    Option(
        PEOPLE,
        "guest-key-file",
        "value",
        "",
        "Read the key that signs guests' and accounts' tokens from this file.",
        otherwise="guest-key in $CREDENTIALS_DIRECTORY, else guest.key in the data directory",
        seldom=True,
    ),
    Option(
        TLS,
        "self-signed",
        "value",
        "",
        "Serve https and wss on this port of this computer, with a certificate made once and kept in the"
        " data directory. PORT:interface=ADDRESS listens elsewhere.",
    ),
    Option(
        TLS,
        "redirect",
        "list",
        "",
        "Send plain http at this port (PORT: all addresses) or endpoint to https. Repeatable.",
    ),
    Option(
        STORAGE,
        "data",
        "value",
        "",
        "Keep everything in this directory.",
        otherwise="$STATE_DIRECTORY, else ./chat-data",
    ),
    Option(
        STORAGE,
        "store",
        "value",
        "sqlite:",
        "Keep the log in sqlite:[PATH], in memory: (lost at the end), or in a Redis that several chats share:"
        " redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss://…, unix:PATH, redis+sentinel://HOST,HOST/NAME; in"
        " several of them with spaces between (docs/scaling.md).",
        otherwise="store in $CREDENTIALS_DIRECTORY, else sqlite:",
    ),
    Option(
        STORAGE,
        "durability",
        "value",
        "disk",
        "Count a message as kept when it survives a power cut (disk) or a crash of the program (process; the"
        " newest may be lost with the power). With Redis it is what that server does; cache also takes one that"
        " forgets, replica answers when a replica has it too.",
    ),
    Option(
        STORAGE,
        "archive",
        "value",
        "none",
        "With Redis: keep what it does not keep for ever in sqlite:[PATH] (all workers on one machine) or in"
        " postgresql://[USER@]HOST[:PORT]/DATABASE; none keeps only its newest.",
        seldom=True,
    ),
    Option(
        STORAGE,
        "archive-password-file",
        "value",
        "",
        "Read PostgreSQL's password from this file, if it does not stand in the address.",
        otherwise="archive-password in $CREDENTIALS_DIRECTORY, if it is there",
        seldom=True,
    ),
    Option(
        STORAGE,
        "redis-keep",
        "number",
        "10000",
        "Keep so many entries of a room in Redis; with an archive the older ones are there.",
        "entries",
        seldom=True,
    ),
    Option(
        LIMITS,
        "message-burst",
        "number",
        str(MESSAGES.burst),
        "Let one session say so much at once.",
        "messages",
        reloads=True,
        seldom=True,
    ),
    Option(
        LIMITS,
        "message-rate",
        "number",
        f"{MESSAGES.per_s:g}",
        "Let it go on at this rate, which may be a fraction.",
        "messages/s",
        reloads=True,
    ),
    Option(
        LIMITS,
        "connections-per-address",
        "number",
        str(PER_ADDRESS),
        "Let one address (of IPv6: /64) have so many; none is no limit.",
        "connections",
        reloads=True,
    ),
    Option(
        LIMITS,
        "connects-per-minute",
        "number",
        str(PER_MINUTE),
        "Let one address connect so often; none is no limit.",
        "connects/min",
        reloads=True,
        seldom=True,
    ),
    Option(
        LIMITS,
        "limit-loopback",
        "flag",
        "",
        "Hold programs of this computer to these two limits too.",
        reloads=True,
        seldom=True,
    ),
    Option(
        LIMITS,
        "echo-max",
        "number",
        str(FRAME_BYTES),
        f"Take messages to /echo up to this size; at most {ECHO_BYTES}, which conformance suites send.",
        "bytes",
        seldom=True,
    ),
    Option(
        LIMITS,
        "insecure-no-limits",
        "flag",
        "",
        "Lift the rate limits. For benchmarks and tests only.",
        seldom=True,
    ),
    Option(DEFAULT, "default-dialect", "value", "simple", f"Speak this at /: {', '.join(DEFAULTS)}."),
    Option(DEFAULT, "default-room", "value", "lobby", "Take newcomers here who name no room."),
    Option(DEFAULT, "lang", "value", "en", f"Speak this language with who names none: {', '.join(LANGUAGES)}."),
    Option(
        DEFAULT,
        "compression",
        "flag",
        "",
        "Let WebSocket peers that offer permessage-deflate have it: less traffic for long messages.",
    ),
    Option(
        LOGGING,
        "log-format",
        "value",
        "auto",
        "Write the log for people (human) or one JSON object a line (json); auto is human on a terminal.",
    ),
    Option(
        LOGGING,
        "log-level",
        "value",
        "info",
        f"Leave out what matters less: {', '.join(LOG_LEVELS)}.",
        reloads=True,
    ),
    Option(
        LOGGING,
        "metrics-listen",
        "value",
        "tcp:9100:interface=127.0.0.1",
        "Serve /metrics (Prometheus) at this endpoint; public adds it to the main port, none turns it off.",
    ),
    Option(
        SETTINGS,
        "config",
        "value",
        "",
        "Read settings from this file (TOML); flags and variables are stronger.",
        otherwise="./chat.toml, else /etc/chatservice/chat.toml, if there is one",
        in_file=False,
    ),
    Option(SETTINGS, "strict", "flag", "", "Do not start with unknown settings in the file or in CHAT_*."),
)
