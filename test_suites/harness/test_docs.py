"""What the docs list is what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hil.errors import CODES, Kind

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.glob("*.md")), ROOT / "README.md", ROOT / "ARCHITECTURE.md"]


def test_every_code_is_explained_under_its_own_kind() -> None:
    sections = re.split(r"^## ", (DOCS / "codes.md").read_text(), flags=re.M)[1:]
    told = {
        code: Kind(section.split(":")[0].lower().replace("set-up", "setup"))
        for section in sections
        for code in re.findall(r"^\| `(\w+)` \| \S.* \| \S.* \|$", section, re.M)
    }
    assert told == dict(CODES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_references_between_the_schemas_resolve() -> None:
    text = (DOCS / "certificate.schema.json").read_text()
    outside = set(re.findall(r'"\$ref": "([^#"]+)#/\$defs/(\w+)"', text))
    assert outside == {("results.schema.json", "Record")}
    for name, part in outside:
        assert part in json.loads((DOCS / name).read_text())["$defs"]
