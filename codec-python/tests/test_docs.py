"""The blocks of docs/python.md run in order and print what the page shows."""

import contextlib
import io
import re
from typing import Any

import pytest
from conftest import ROOT

BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_is_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    blocks = BLOCK.findall((ROOT / "docs" / "python.md").read_text())
    assert len(blocks) > 15
    names: dict[str, Any] = {}
    printed = ""
    for language, text in blocks:
        if language == "text":
            assert printed == text
            printed = ""
            continue
        assert printed == "", f"the page does not show this output: {printed}"
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(text, "docs/python.md", "exec"), names)
        printed = out.getvalue()
    assert printed == ""
