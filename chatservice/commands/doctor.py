"""`chatservice doctor URL`: is everything there through the public address, and if not, which line mends it?"""

from __future__ import annotations

import ssl
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from chatservice.commands.asking import Failed
from chatservice.doctor.checks import Finding, examine
from chatservice.doctor.remedies import Fault
from chatservice.doctor.visit import Address, BadAddress

PROXIES = ("nginx", "caddy", "haproxy")


def arguments(parser: ArgumentParser) -> None:
    """Whom to look at, and how."""
    parser.add_argument("url", metavar="URL", help="where people find the page, such as https://chat.example.org/")
    parser.add_argument("--proxy", choices=PROXIES, help="say only what to write in that one's settings")
    parser.add_argument("--ca", metavar="FILE", help="trust this certificate too, such as a self-signed one")
    parser.add_argument("--token-file", metavar="FILE", type=Path, help="a token, where guests are not let in")
    parser.add_argument(
        "--quick", action="store_true", help="do not wait for half a minute whether who is quiet is cut off"
    )


def run(args: Namespace) -> int:
    """One line a check; status 1 if anything is wrong."""
    try:
        context = ssl.create_default_context()
        if args.ca:
            context.load_verify_locations(args.ca)
        token = args.token_file.read_text().strip() if args.token_file else ""
        address = Address(args.url, context)
    except (BadAddress, OSError) as error:
        raise Failed(str(error)) from error
    faults: dict[Fault, None] = {}
    for finding in examine(address, idle_s=0 if args.quick else None, token=token):
        sys.stdout.write(shown(finding))
        sys.stdout.flush()
        if finding.fault is not None:
            faults[finding.fault] = None
    for fault in faults:
        sys.stdout.write(advice(fault, str(address), args.proxy))
    return 1 if faults else 0


def shown(finding: Finding) -> str:
    """One line. What the other side says is never in it as it is."""
    mark = "ok   " if finding.fault is None else "FAULT"
    seen = "".join(letter if letter.isprintable() else "?" for letter in finding.seen)[:200]
    return f"{mark}  {finding.about:<20} {seen}\n"


def advice(fault: Fault, url: str, proxy: str | None) -> str:
    """What it means, and what to write where."""
    remedy = fault.value
    lines = [f"\n{remedy.name}: {remedy.means}"]
    rows = {"nginx": remedy.nginx, "caddy": remedy.caddy, "haproxy": remedy.haproxy}
    lines += [f"  {name:<9} {line}" for name, line in rows.items() if line and proxy in (None, name)]
    if remedy.service:
        lines.append(f"  chat.toml {remedy.service.replace('{url}', url)}")
    return "\n".join(lines) + "\n"
