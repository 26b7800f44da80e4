"""web/build where there is no Node: what it installs, and what it leaves alone."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
TOOLS = ("sh", "dirname", "touch", "chmod", "mkdir", "cat")
NODE = '#!/bin/sh\necho "node $*"\n'
NPM = "#!/bin/sh\nmkdir -p node_modules; : > node_modules/.package-lock.json\n"
APT = """#!/bin/sh
echo "$@" >> "{machine}/asked"
[ "$1" = install ] || exit 0
[ -e "{machine}/broken" ] && exit 100
for name; do
    case "$name" in
        nodejs) cp="node" ;;
        npm) cp="npm" ;;
        *) continue ;;
    esac
    cat "{machine}/$cp.sh" > "{machine}/bin/$cp"; chmod +x "{machine}/bin/$cp"
done
"""


@dataclass
class Machine:
    """A computer on which only the tools in `bin` exist."""

    home: Path

    def put(self, name: str, program: str) -> None:
        path = self.home / "bin" / name
        path.write_text(program)
        path.chmod(0o755)

    def build(self) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.home / "bin")}
        command = [str(self.home / "web" / "build")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)

    @property
    def asked(self) -> list[str]:
        """What apt-get was asked."""
        path = self.home / "asked"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A Debian machine without Node; we are root."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "web").mkdir()
    for name in ("build", "package-lock.json"):
        shutil.copy(WEB / name, tmp_path / "web" / name)
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (tmp_path / "bin" / tool).symlink_to(found)
    (tmp_path / "node.sh").write_text(NODE)
    (tmp_path / "npm.sh").write_text(NPM)
    machine = Machine(tmp_path)
    machine.put("id", "#!/bin/sh\necho 0\n")
    machine.put("dpkg", "#!/bin/sh\nexit 1\n")
    machine.put("apt-get", APT.format(machine=tmp_path))
    return machine


def installed(machine: Machine) -> list[list[str]]:
    return [[word for word in line.split() if word[0] != "-"][1:] for line in machine.asked if "install" in line]


def test_root_gets_debians(machine: Machine) -> None:
    """As root both are installed, then it builds."""
    done = machine.build()
    assert (done.returncode, done.stdout) == (0, "node scripts/build.js\n"), done.stderr
    assert installed(machine) == [["nodejs", "npm"]]


def test_never_over_a_node(machine: Machine) -> None:
    """A node that is not Debian's stays alone; one line says that npm is missing."""
    machine.put("node", NODE)
    done = machine.build()
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert machine.asked == []


def test_debians_node_without_npm(machine: Machine) -> None:
    """To Debian's node comes Debian's npm, and nothing may be removed for it."""
    machine.put("node", NODE)
    machine.put("dpkg", "#!/bin/sh\nexit 0\n")
    assert machine.build().returncode == 0
    assert installed(machine) == [["npm"]] and "--no-remove" in machine.asked[-1]


def test_nobody_in_particular(machine: Machine) -> None:
    """Who is not root is told in one line what is needed."""
    machine.put("id", "#!/bin/sh\necho 1000\n")
    done = machine.build()
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "apt-get install nodejs npm" in done.stderr
    assert machine.asked == []


def test_no_network(machine: Machine) -> None:
    """When Debian cannot be reached it ends with that line too."""
    (machine.home / "broken").touch()
    done = machine.build()
    assert done.returncode == 1 and "apt-get install nodejs npm" in done.stderr


def test_nothing_missing(machine: Machine) -> None:
    """With both there, nothing is installed."""
    machine.put("node", NODE)
    machine.put("npm", NPM)
    assert machine.build().returncode == 0
    assert machine.asked == []


def test_make_goes_on_without(machine: Machine) -> None:
    """`make run` where Node is not and cannot be had: one line, no failure, and the small page is served."""
    machine.put("id", "#!/bin/sh\necho 1000\n")
    for tool in ("find", "python3"):
        (machine.home / "bin" / tool).symlink_to(shutil.which(tool) or pytest.fail(tool))
    make = shutil.which("make")
    assert make
    done = subprocess.run(
        [make, "--no-print-directory", "web-if-possible"],
        cwd=WEB.parent, env={"PATH": str(machine.home / "bin")}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("\n") == 1 and "small page" in done.stderr and "nodejs and npm" in done.stderr
    assert machine.asked == []
