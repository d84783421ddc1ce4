"""Markdown: nothing of others leaves its code, and a comment is never too long."""

from __future__ import annotations

import html
import re
from dataclasses import replace

from kms_access.reports.markdown import LONGEST, REPORT
from kms_access.reports.terminal import safe
from kms_access.rules import Assessment
from tests.reports.assessments import HOSTILE, hostile, many

CODE = re.compile("<code>([^<`]*)</code>")
OURS = re.compile(r"[A-Za-z0-9 .,:;#*<>/()\-`]*")


def outside(text: str) -> list[str]:
    """The lines that a reader of Markdown takes for text or HTML: outside of fenced code."""
    lines, fence = [], ""
    for line in text.splitlines():
        if fence:
            # A longer fence closes a block too, and up to three spaces may stand before it.
            fence = "" if re.fullmatch(f" {{0,3}}{fence}`* *", line) else fence
        elif found := re.fullmatch("(`{3,})text", line):
            fence = found.group(1)
        else:
            lines.append(line)
    assert not fence, "a fence is open at the end"
    return lines


def test_names_stay_inside_of_code(everything: Assessment) -> None:
    lines = outside(REPORT.render(hostile(everything)))
    for line in lines:
        for code in CODE.findall(line):
            assert re.fullmatch(r"(?:[\w /,()\-…]|&#\d+;)*", code), code
        rest = CODE.sub("", line)
        assert OURS.fullmatch(rest), rest
        assert not re.search("forged|alert|everyone|example", rest)
    summaries = [line for line in lines if line.startswith("<summary>")]
    claims = [html.unescape(code) for line in summaries for code in CODE.findall(line)]
    # A claim that is cut in its line stands whole in the block below it.
    assert claims
    for claim in claims:
        assert f"user {safe(HOSTILE)} can decrypt".startswith(claim[:-1])


def test_what_is_outside_of_code_is_the_same_whatever_the_names(everything: Assessment) -> None:
    def shape(assessment: Assessment) -> list[str]:
        return [CODE.sub("<code></code>", line) for line in outside(REPORT.render(assessment))]

    few = replace(everything, known=everything.known[:1])
    assert shape(hostile(few)) == shape(few)


def test_a_comment_is_bounded_and_says_what_is_left_out(everything: Assessment) -> None:
    long = REPORT.render(many(everything, 400))
    assert len(long) <= LONGEST
    shown = long.count("<details")
    assert f"**{800 - shown} more** are left out here" in long
    assert "3 keys" in long
    short = REPORT.render(many(everything, 2))
    assert short.count("<details") == 4
    assert "left out" not in short


def test_huge_names_are_cut_and_hide_no_other_finding(everything: Assessment) -> None:
    first, *others = everything.findings
    huge = replace(
        first,
        claim="x" * 200_000,
        details=tuple("y" * 90_000 for _ in range(200)),
        fix="`" * 70_000,
    )
    text = REPORT.render(replace(everything, findings=(huge, *others)))
    assert len(text) <= LONGEST
    assert "user mallory can decrypt with key alias/data" in text
    assert "**1 more** are left out here" in text
    outside(text)


def test_no_run_of_backticks_closes_a_block(everything: Assessment) -> None:
    for count in (3, 4, 300):
        findings = tuple(
            replace(finding, claim="`" * count + " " * 300, fix="```\n```")
            for finding in everything.findings
        )
        lines = outside(REPORT.render(replace(everything, findings=findings)))
        assert "</details>" in lines
        assert not [line for line in lines if line.startswith("  ")]


def test_the_first_errors_are_unfolded(everything: Assessment) -> None:
    text = REPORT.render(many(everything, 5))
    assert text.count("<details open>") == 3
    assert text.count("<details>") == 7
