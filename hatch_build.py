"""What PyPI shows of the README: its links lead into the repository, since nothing else of it is there."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

REPOSITORY = "https://github.com/vigie-monitor/vigie"
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?://|mailto:|#)([^)\s]+)\)")


def absolute(text: str) -> str:
    """Markdown whose relative links and pictures are absolute."""

    def one(found: re.Match[str]) -> str:
        picture, words, target = found.groups()
        base = f"{REPOSITORY}/raw/main" if picture else f"{REPOSITORY}/blob/main"
        return f"{picture}[{words}]({base}/{target})"

    return _LINK.sub(one, text)


class ReadmeHook(MetadataHookInterface):
    """Called by hatchling when it builds."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Give it the README."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": absolute(text)}
