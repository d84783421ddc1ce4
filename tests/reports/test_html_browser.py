"""The page in a real browser: it runs, it is usable by keyboard, and it can be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kms_access.decisions.access_difference import difference
from kms_access.decisions.access_facts import facts_of_inventory
from kms_access.inventory.model import Inventory
from kms_access.reports.html import REPORT, HtmlReport
from kms_access.rules import Assessment, Rules, assess
from tests.builders import DELEGATION, allow, deny, iam, key, role, user_arn
from tests.reports.assessments import hostile
from tests.reports.browser import INSTALL, Page, executable
from tests.reports.html_using import FOCUS, RESULT, focus_cell, load, set_filter
from tests.reports.test_html import hostile_definitions

pytestmark = pytest.mark.skipif(executable() is None, reason=INSTALL)

FOCUSED = "document.activeElement.getAttribute('aria-label')"
PANEL = "document.getElementById('details').innerText"
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")


def numbered(assessment: Assessment, subject: str, key: str) -> tuple[int, int]:
    """The row and the column of a cell, the headers counted."""
    facts = assessment.access_map
    row = next(n for n, s in enumerate(facts.subjects) if s.label == subject)
    return row + 1, next(n for n, k in enumerate(facts.keys) if k.label == key) + 1


def test_it_loads(shown: Page, tmp_path: Path, everything: Assessment) -> None:
    load(shown, tmp_path, REPORT.render(everything))
    facts = everything.access_map
    counts = (len(facts.subjects), len(facts.keys))
    assert shown.ask(RESULT) == "{0} of {0} principals, {1} of {1} keys".format(*counts)
    assert "violated: findings block" in shown.ask("document.body.innerText")
    assert shown.ask("document.querySelectorAll('[role=row]').length") == counts[0] + 1
    assert shown.ask("document.querySelectorAll('[role=gridcell]').length") == counts[0] * counts[1]


def test_a_report_about_nothing_loads(shown: Page, tmp_path: Path) -> None:
    load(shown, tmp_path, REPORT.render(assess(Inventory(), Rules())))
    assert "No KMS key is in the definitions." in shown.ask("document.body.innerText")


def test_a_cell_opens_its_proof_by_keyboard(
    shown: Page, tmp_path: Path, everything: Assessment
) -> None:
    load(shown, tmp_path, REPORT.render(everything))
    row, column = numbered(everything, "user eve", "alias/data")
    focus_cell(shown, row, column)
    assert shown.ask(FOCUSED).startswith("allowed: encrypt; under a condition: decrypt; ")
    shown.press("Enter")
    panel = shown.ask(PANEL)
    assert shown.ask(FOCUS) == "details-title"
    assert "user eve and key alias/data" in panel
    assert "key policy, statement 2, allows kms:Decrypt to user/eve" in panel
    assert "data (stack App)" in panel
    assert "app.py:10" in panel
    assert "if aws:MultiFactorAuthPresent is true" in panel
    assert "for example with aws:MultiFactorAuthPresent" in panel
    assert "user eve can decrypt with key alias/data" in panel
    assert "until 2027-03-31 by dana@example.com: moves the archive to the new key" in panel
    shown.press("Escape")
    assert shown.ask("document.getElementById('details').hidden") is True
    assert shown.ask(FOCUS) == f"{row} {column}"
    shown.press("ArrowRight", "Home", "Enter")
    assert "arn:aws:iam::111122223333:user/eve" in shown.ask(PANEL)
    shown.press("Escape", "Control+Home", "ArrowRight", "Enter")
    assert "key alias/data" in shown.ask(PANEL)
    assert "SYMMETRIC_DEFAULT, ENCRYPT_DECRYPT" in shown.ask(PANEL)


def test_a_cell_without_access_says_so(shown: Page, tmp_path: Path) -> None:
    made = Inventory((key("data", DELEGATION),), (role("app", iam("s3:*")),))
    load(shown, tmp_path, REPORT.render(assess(made, Rules())))
    focus_cell(shown, 1, 1)
    assert shown.ask(FOCUSED) == "no access"
    shown.press("Enter")
    assert "Nothing in the definitions allows these:" in shown.ask(PANEL)
    assert "kms:Decrypt" in shown.ask(PANEL)


def test_a_deny_is_shown_with_its_statement(shown: Page, tmp_path: Path) -> None:
    data = key("data", DELEGATION, deny("*", "kms:Decrypt", Sid="Never"))
    made = Inventory((data,), (role("app", iam(["kms:Decrypt", "kms:DescribeKey"])),))
    load(shown, tmp_path, REPORT.render(assess(made, Rules())))
    focus_cell(shown, 1, 1)
    assert shown.ask(FOCUSED) == "allowed: view in part; denied explicitly: decrypt in part"
    shown.press(" ")
    assert 'statement "Never", denies kms:Decrypt to everyone' in shown.ask(PANEL)


def test_findings_lead_to_their_cell(shown: Page, tmp_path: Path, everything: Assessment) -> None:
    load(shown, tmp_path, REPORT.render(everything))
    shown.ask("document.getElementById('tab-matrix').focus()")
    shown.press("ArrowRight")
    assert shown.ask(FOCUS) == "tab-findings"
    items = "document.querySelectorAll('#part-findings .finding').length"
    total = len(everything.findings) + len(everything.waived) + len(everything.known)
    assert shown.ask(items) == total
    shown.click("#findings-text")
    shown.type("eve can encrypt")
    assert shown.ask(items) == 1
    shown.click("#part-findings summary")
    opened = shown.ask("document.querySelector('#part-findings .finding').innerText")
    for words in ("waived", "kms:Encrypt", "rules.yaml", "moves the archive"):
        assert words in opened
    shown.click("#part-findings .finding button")
    row, column = numbered(everything, "user eve", "alias/data")
    assert shown.ask(FOCUS) == f"{row} {column}"


def test_the_difference_to_a_baseline(shown: Page, tmp_path: Path) -> None:
    before = Inventory((key("data", DELEGATION),), (role("app", iam("kms:Encrypt")),))
    after = replace(before, identities=(role("app", iam("kms:Decrypt")),))
    found = difference(facts_of_inventory(before), facts_of_inventory(after))
    load(shown, tmp_path, HtmlReport(difference=found).render(assess(after, Rules())))
    focus_cell(shown, 1, 1)
    assert shown.ask(FOCUSED).endswith("gained since the baseline; lost since the baseline")
    shown.press("Enter")
    assert "gained since the baseline" in " ".join(shown.ask(PANEL).split())
    shown.press("Escape")
    shown.click("#tab-changes")
    summaries = "[...document.querySelectorAll('#part-changes summary')].map((s) => s.innerText)"
    assert [" ".join(text.split()) for text in shown.ask(summaries)] == [
        "gained role app: decrypt on key alias/data",
        "lost role app: encrypt on key alias/data",
    ]


@pytest.mark.parametrize("source", ["findings", "definitions"])
def test_text_of_others_is_text(
    source: str, shown: Page, tmp_path: Path, everything: Assessment
) -> None:
    made = hostile(everything) if source == "findings" else assess(hostile_definitions(), Rules())
    load(shown, tmp_path, REPORT.render(made))
    shown.ask("document.querySelectorAll('summary').forEach((one) => one.click())")
    shown.ask("document.querySelectorAll('[role=gridcell]').forEach((one) => one.click())")
    assert shown.ask("document.querySelectorAll('script').length") == 2
    assert shown.ask("document.querySelectorAll('a, img, iframe, object, pre').length") == 0
    assert "<script>alert(1)</script>" in shown.ask("document.body.innerText")


def test_a_large_page_stays_usable(shown: Page, tmp_path: Path, large: str) -> None:
    load(shown, tmp_path, large)
    elements = "document.querySelectorAll('*').length"
    assert shown.ask(RESULT) == "3,001 of 3,001 principals, 200 of 200 keys"
    assert shown.ask(elements) < 5_000
    focus_cell(shown, 1, 1)
    shown.press("Control+End")
    assert shown.ask(FOCUS) == "3001 200"
    assert shown.ask("document.querySelectorAll('[role=row]').length") < 50
    assert shown.ask(elements) < 5_000
    place = "(({top, bottom, left, right}) => [top, bottom, left, right])"
    at = shown.ask(f"{place}(document.activeElement.getBoundingClientRect())")
    grid = shown.ask(f"{place}(document.querySelector('.grid').getBoundingClientRect())")
    assert grid[0] < at[0] < at[1] <= grid[1]
    assert grid[2] < at[2] < at[3] <= grid[3]
    shown.press("Enter")
    assert "any other identity of account 111122223333 and key alias/key-99" in shown.ask(PANEL)
    shown.press("Escape")
    shown.ask("(document.querySelector('.grid').scrollTop = 60000)")
    assert shown.ask("document.querySelectorAll('[role=rowheader]').length") > 5
    set_filter(shown, "together", "yes")
    assert shown.ask(RESULT).startswith("3,001 of 3,001 principals in ")
    set_filter(shown, "capability", "encrypt")
    assert "of 200 keys" in shown.ask(RESULT)
    shown.click("#filter-principal")
    shown.type("role role-2999")
    assert shown.ask(RESULT).startswith("1 of 3,001 principals, ")


def test_equal_principals_stand_together(shown: Page, tmp_path: Path) -> None:
    keys = (key("data", DELEGATION, allow(user_arn("own"), "kms:Sign")),)
    people = (*(role(f"r{n}", iam("kms:Decrypt")) for n in range(5)), role("x", iam("kms:Encrypt")))
    load(shown, tmp_path, REPORT.render(assess(Inventory(keys, people), Rules())))
    set_filter(shown, "together", "yes")
    headers = "[...document.querySelectorAll('.who')].map((one) => one.textContent)"
    assert shown.ask(headers)[:2] == ["role r0 + 4 equal", "role x"]
    focus_cell(shown, 1, 1)
    shown.press("Enter")
    assert "r0 (stack App)" in shown.ask(PANEL)
    shown.ask(
        "((input) => { input.value = input.options[3].value;"
        " input.dispatchEvent(new Event('change')); })(document.getElementById('member'))"
    )
    assert "r3 (stack App)" in shown.ask(PANEL)
    assert "r0 (stack App)" not in shown.ask(PANEL)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(scheme: str, shown: Page, tmp_path: Path, everything: Assessment) -> None:
    """Text has the contrast that WCAG 2.2 asks for (1.4.3, level AA), in both schemes."""
    shown.prefer(scheme)
    load(shown, tmp_path, REPORT.render(everything))
    brightness = shown.ask(f"(() => {{ {CONTRAST} return brightness(document.body); }})()")
    assert (brightness < 0.1) == (scheme == "dark")
    focus_cell(shown, *numbered(everything, "user eve", "alias/data"))
    shown.press("Enter")
    for tab in ("matrix", "findings"):
        shown.click(f"#tab-{tab}")
        shown.ask("document.querySelectorAll('summary').forEach((one) => one.click())")
        assert shown.ask(f"(() => {{ {CONTRAST} return tooFaint(); }})()") == []
    assert shown.screenshot().startswith(b"\x89PNG")


@pytest.mark.parametrize("width", [1400, 700, 360])
def test_it_fits_its_window(
    width: int, shown: Page, tmp_path: Path, everything: Assessment
) -> None:
    load(shown, tmp_path, REPORT.render(everything))
    shown.size(width, 700)
    assert shown.ask("document.documentElement.scrollWidth") <= width
    assert shown.ask("document.querySelector('.grid').clientHeight") >= 150


def test_everything_to_act_on_has_a_name(
    shown: Page, tmp_path: Path, everything: Assessment
) -> None:
    load(shown, tmp_path, REPORT.render(everything))
    nodes = shown.send("Accessibility.getFullAXTree")["nodes"]
    named = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node.get("ignored")
    ]
    acting = ("button", "checkbox", "combobox", "searchbox", "tab", "grid", "gridcell")
    found = [(role, name) for role, name in named if role in (*acting, "rowheader", "columnheader")]
    assert {role for role, _ in found} >= {*acting, "rowheader", "columnheader"}
    assert [role for role, name in found if not name] == []
