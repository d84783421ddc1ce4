"""The page as text: what it holds, that nobody can break out of it, and how large it is."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from kms_access.decisions.access_difference import difference
from kms_access.decisions.access_facts import facts_of_inventory
from kms_access.decisions.proof import Proof
from kms_access.inventory.model import Inventory
from kms_access.inventory.origin import Origin
from kms_access.reports.html import REPORT, HtmlReport
from kms_access.reports.terminal import safe
from kms_access.reports.text import describe_place
from kms_access.rules import Assessment, Rules, assess
from tests.builders import DELEGATION, allow, iam, key, role
from tests.reports.assessments import HOSTILE, ROOT, hostile
from tests.reports.html_reading import Data, Elements, Shown

# What is in the page whoever wrote the definitions.
TAGS = [
    *("html", "head", "meta", "meta", "meta", "meta", "meta", "title", "style", "body"),
    *("noscript", "header", "h1", "div", "div", "div", "main", "aside", "script", "script"),
]
MEGABYTE = 1_000_000


def hostile_definitions() -> Inventory:
    """An attacker's text in the names, Sids and conditions of definitions."""
    name = HOSTILE.replace("\ud800", "").replace("\x00", "")
    sid = {"Sid": name}
    condition = {"StringEquals": {"kms:EncryptionContext:x": name}}
    return Inventory(
        (key(name, DELEGATION | sid, allow("*", "kms:Decrypt", Condition=condition, **sid)),),
        (replace(role("app", iam("kms:*", **sid)), origin=Origin(f"App/{name}", name, name)),),
    )


def test_a_cell_says_what_the_map_says(assessment: Assessment) -> None:
    facts = assessment.access_map
    found = dict(Data(REPORT.render(assessment)).cells())
    expected = {}
    for who, subject in enumerate(facts.subjects):
        for at, each in enumerate(facts.keys):
            for action in facts.states(subject, each):
                access = facts.evaluator.access(subject, each, action)
                hops = Proof.of(access.decision).hops
                expected[who, at, action] = Shown(
                    access.state.value,
                    tuple((safe(hop.text), safe(describe_place(hop.origin))) for hop in hops),
                    safe(access.condition),
                    safe(access.example),
                )
    assert found == expected


def test_principals_keys_and_findings_are_all_there(everything: Assessment) -> None:
    data = Data(REPORT.render(everything))
    whole, facts = data.whole, everything.access_map
    names = [data.text(principal["name"]) for principal in whole["principals"]]
    assert names[: len(facts.subjects)] == [safe(subject.label) for subject in facts.subjects]
    assert [data.text(one["name"]) for one in whole["keys"]] == [
        *("alias/data", "alias/other (App/other)", "alias/other (App/third)")
    ]
    statuses = [(one["status"], data.text(one["claim"])) for one in whole["findings"]]
    assert statuses == [
        *(("open", safe(finding.claim)) for finding in everything.findings),
        *(("known", safe(finding.claim)) for finding in everything.known),
        *(("waived", safe(waived.finding.claim)) for waived in everything.waived),
    ]
    for one in whole["findings"]:
        if one["principal"] >= 0:
            assert names[one["principal"]] == data.text(one["who"])
        named = data.text(whole["keys"][one["key"]]["name"]) if one["key"] >= 0 else ""
        assert named.startswith(data.text(one["keyName"])) or one["key"] < 0
    assert [data.text(one["waiver"]) for one in whole["findings"] if "waiver" in one] == [
        "until 2027-03-31 by dana@example.com: moves the archive to the new key (rules.yaml:20)"
    ]
    assert [[data.text(part) for part in pair] for pair in whole["notCovered"]] == [
        ["Dns (stack App)", "not read"]
    ]


def test_teams_are_those_of_the_rules_file(everything: Assessment) -> None:
    data = Data(REPORT.render(everything))
    (team,) = data.whole["teams"]
    assert data.text(team) == "app"
    members = {data.text(p["name"]) for p in data.whole["principals"] if p["teams"] == [0]}
    perhaps = {data.text(p["name"]) for p in data.whole["principals"] if p["perhaps"] == [0]}
    assert members == {"role app-reader"}
    assert any("Reader" in name for name in perhaps)


def test_a_difference_to_a_baseline(everything: Assessment) -> None:
    assert Data(REPORT.render(everything)).whole["changes"] is None
    before = Inventory((key("data", DELEGATION),), (role("app", iam("kms:Encrypt")),))
    after = replace(before, identities=(role("app", iam("kms:Decrypt")),))
    found = difference(facts_of_inventory(before), facts_of_inventory(after))
    data = Data(HtmlReport(difference=found).render(assess(after, Rules())))
    changes = [
        (one["what"], data.text(one["who"]), data.text(one["actions"]), data.text(one["when"]))
        for one in data.whole["changes"]
    ]
    assert changes == [
        ("gained", "role app", "kms:Decrypt", "always"),
        ("lost", "role app", "kms:Encrypt", "always"),
    ]
    for one in data.whole["changes"]:
        assert data.text(data.whole["principals"][one["principal"]]["name"]) == "role app"
        assert [data.text(data.whole["hops"][hop][0])[:10] for hop in one["hops"]] == [
            "key policy",
            "inline pol",
        ]


@pytest.mark.parametrize("source", ["findings", "definitions"])
def test_nobody_breaks_out_of_the_data(source: str, everything: Assessment) -> None:
    """Neither an element, a comment nor an attribute of the page is made by others."""
    if source == "findings":
        page = REPORT.render(hostile(everything))
    else:
        page = REPORT.render(assess(hostile_definitions(), Rules()))
    elements = Elements(page)
    assert [tag for tag, _ in elements.found] == TAGS
    assert elements.comments == 0
    assert "alert(1)" in page
    (block,) = [text for text in elements.content("script") if "alert(1)" in text]
    assert not set(block) & set("<>&")
    assert json.loads(block)


def test_the_page_allows_its_own_script_and_style_alone(everything: Assessment) -> None:
    elements = Elements(REPORT.render(everything))
    (policy,) = [
        attributes["content"] or ""
        for _, attributes in elements.found
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]

    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    (style,) = elements.content("style")
    _, script = elements.content("script")
    assert policy == (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(script)}'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    for _, attributes in elements.found:
        assert not {"src", "href", "style"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    assert "@import" not in style
    assert "url(" not in style
    assert not re.search(r"https?://|innerHTML|outerHTML|document\.write|eval\(", script)


def test_no_path_of_the_machine(everything: Assessment) -> None:
    assert str(Path.cwd()) not in REPORT.render(everything)


def test_the_page_is_the_same_in_another_process(tmp_path: Path) -> None:
    """Whatever the order of sets and dictionaries."""
    program = (
        "from benchmarks.inventories import inventory\n"
        "from tests.reports.test_html import hostile_definitions as made\n"
        "from kms_access.rules import Rules, assess\n"
        "from kms_access.reports.html import REPORT\n"
        "import hashlib\n"
        "for one in (made(), inventory(6, 30)):\n"
        "    text = REPORT.render(assess(one, Rules()))\n"
        "    print(hashlib.sha256(text.encode()).hexdigest())\n"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
    assert len(told.pop().split()) == 2


def test_a_large_page_stays_small(large: str) -> None:
    """3,000 principals and 200 keys, each tenth principal with access to all keys."""
    assert len(large.encode()) < 2 * MEGABYTE
    whole = Data(large).whole
    assert (len(whole["principals"]), len(whole["keys"])) == (3_001, 200)


def test_wide_access_of_all_costs_a_line_each() -> None:
    """600,000 cells with a proof each: none is written for itself."""
    keys = tuple(key(f"k{n}", DELEGATION) for n in range(200))
    people = tuple(role(f"r{n}", iam(["kms:Decrypt", "kms:Describe*"])) for n in range(3_000))
    page = REPORT.render(assess(Inventory(keys, people), Rules()))
    assert len(page.encode()) < 2 * MEGABYTE


def test_an_installed_package_has_the_parts_of_the_page(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(n).name for n in archive.namelist() if "reports/html_page/" in n}
    folder = ROOT / "kms_access" / "reports" / "html_page"
    assert names == {file.name for file in folder.iterdir()}
    assert {"page.html", "page.css", "page.js"} <= names
