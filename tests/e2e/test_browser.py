"""A page in a browser, watched by the prober process of `vigie serve`: the picture of its failure is found by whoever asks."""

import json
import re
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.needs("chromium")
def test_a_picture_of_the_trouble_is_kept_and_told(vigie: Any, site: Any, tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text(
        "log: {file: null}\nweb: {enabled: false}\nllm: {provider: none}\ncontrol: []\n"
        "alerts: {default: {confirm: 1}}\n"
        f'monitors: [{{name: Page, type: browser, url: "http://127.0.0.1:{site.port}/", every: 2s, timeout: 20s}}]\n'
    )
    site.status = 500
    process = vigie.start("serve")
    vigie.says("opened page-1", 40)
    process.terminate()
    assert process.wait(30) == 0
    assert "Traceback" not in vigie.log

    shown = vigie("incidents", "show", "page-1").stdout
    match = re.search(r"Screenshot: (\S+)", shown)
    assert match is not None, shown
    assert Path(match[1]).parent == tmp_path / "vigie.db.state" / "evidence"
    assert Path(match[1]).is_file()
    site.status = 200
    checked = vigie("check", "--format", "json")
    assert json.loads(checked.stdout)["status"] == "up"
