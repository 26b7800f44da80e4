"""A copy of the package, to be changed, built again and served."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from e2e.server import CHECKOUT, Server


class Package:
    """A copy of the package whose build can be changed or taken away; servers run from it.

    :param home: where it is made.
    :ivar app: the build.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        for name in ("chatservice", "twisted"):
            shutil.copytree(CHECKOUT / name, home / name)  # with what is compiled already
        self.app = home / "chatservice" / "static" / "app"

    @property
    def build(self) -> str:
        """Which build is in it."""
        build: str = json.loads((self.app / "assets.json").read_text())["build"]
        return build

    @property
    def web(self) -> Path:
        """The page's sources, to be changed before a `rebuild`."""
        web = self.home / "web"
        if not web.exists():
            shutil.copytree(CHECKOUT / "web", web, ignore=shutil.ignore_patterns("node_modules"))
            (web / "node_modules").symlink_to(CHECKOUT / "web" / "node_modules")
            shutil.copytree(CHECKOUT / "docs" / "wire", self.home / "docs" / "wire")
        return web

    def rebuild(self) -> None:
        """Another build, of a page that differs by a line."""
        main = self.web / "app" / "main.js"
        main.write_text(main.read_text("utf-8") + f"\nglobalThis.rebuilt = {len(self.build)};\n", "utf-8")
        subprocess.run(["node", "web/scripts/build.js"], cwd=self.home, check=True)

    def server(self, directory: Path, *options: str) -> Server:
        """A server of it."""
        return Server(directory, *options, environment={"PYTHONPATH": str(self.home)})
