"""`map --output`, `diff`, `init` and `check --baseline`: files, messages and exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.builders import ACCOUNT, OTHER, allow, deny, user_arn
from tests.test_cli import run, template, write

ALICE = user_arn("alice")
REFERENCE = {"AWS": {"Fn::GetAtt": ["Alice", "Arn"]}}
VIA = {"Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}}
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("plain.json", template())
    write("limited.json", template(allow(REFERENCE, "kms:Encrypt", **VIA)))
    write("wider.json", template(allow(REFERENCE, ["kms:Encrypt", "kms:PutKeyPolicy"])))
    write("public.json", template(allow("*", "kms:Decrypt")))
    write("denied.json", template(deny("*", "kms:Decrypt")))
    write("unknown.json", template(allow({"AWS": {"Ref": "Reader"}}, "kms:Decrypt")))
    write("account.yaml", f'version: 1\naccounts: {{main: "{ACCOUNT}"}}\n')
    write("keyless.json", {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


def saved(capsys: Capture, name: str, *more: str) -> str:
    file = f"{name}.map.json"
    assert run(capsys, "map", "--output", file, *more, f"{name}.json") == (0, "", "")
    return file


def without_files(text: str) -> str:
    return re.sub(r"  \S+\.json:\d+$", "", text, flags=re.MULTILINE)


DIFFERENCES = [
    ("plain", "plain", 0, "no difference in access"),
    ("plain", "limited", 1, "gained, 0 lost"),
    ("limited", "wider", 1, "under a wider or another condition"),
    ("wider", "limited", 0, "0 gained"),
    ("plain", "denied", 0, "0 gained, 2 lost"),
    ("denied", "plain", 1, "2 gained, 0 lost"),
    ("plain", "public", 1, "gained  everyone has decrypt on key alias/data"),
    ("plain", "unknown", 3, "undecided  "),
    ("keyless", "plain", 1, "gained"),
]


@pytest.mark.parametrize(("old", "new", "code", "text"), DIFFERENCES)
def test_differences(old: str, new: str, code: int, text: str, capsys: Capture) -> None:
    found = run(capsys, "diff", f"{old}.json", f"{new}.json")
    assert (found[0], found[2]) == (code, "")
    assert text in found[1]
    files = saved(capsys, old, "--proofs"), saved(capsys, new, "--proofs")
    for pair in ((files[0], f"{new}.json"), (f"{old}.json", files[1]), files):
        kept = run(capsys, "diff", *pair)
        # A saved map does not hold where in a file a statement stands.
        assert (kept[0], without_files(kept[1])) == (code, without_files(found[1]))


def test_a_difference_is_told_with_its_proof(capsys: Capture, snapshot: SnapshotAssertion) -> None:
    write("old.json", template(allow(REFERENCE, "kms:Encrypt", **VIA), deny("*", "kms:Verify*")))
    write(
        "new.json",
        template(
            allow(REFERENCE, "kms:Encrypt"),
            allow(f"arn:aws:iam::{OTHER}:root", "kms:Decrypt"),
            allow(REFERENCE, "kms:PutKeyPolicy"),
            deny(REFERENCE, "kms:Decrypt"),
        ),
    )
    code, out, err = run(capsys, "diff", "--rules", "account.yaml", "old.json", "new.json")
    assert (code, err) == (1, "")
    assert out == snapshot


def test_without_saved_proofs_the_rest_is_told(capsys: Capture) -> None:
    code, out, _ = run(capsys, "diff", saved(capsys, "plain"), saved(capsys, "public"))
    assert code == 1
    assert "gained  everyone has decrypt on key alias/data" in out
    assert "how" not in out


def test_the_rules_say_what_the_organization_is(capsys: Capture) -> None:
    ours = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}
    write("org.json", template(allow("*", "kms:Encrypt", **ours)))
    write("org.yaml", "version: 1\norganization: o-a1b2c3d4e5\n")
    assert "organization o-a1b2c3d4e5" in run(capsys, "diff", "plain.json", "org.json")[1]
    with_rules = run(capsys, "diff", "--rules", "org.yaml", "plain.json", "org.json")[1]
    assert "our organization" in with_rules


BAD_MAPS: dict[str, tuple[str, str]] = {
    "missing": ("nothing.json", "cannot be read"),
    "malformed": ('{"format": "kms-access map", "version": 1', "bad.map.json:1:"),
    "of another version": ('{"format": "kms-access map", "version": 9}', "the version is not 1"),
    "a template": ('{"Resources": {}}', "the field"),
}


@pytest.mark.parametrize("name", BAD_MAPS)
def test_a_bad_baseline_is_an_error(name: str, capsys: Capture) -> None:
    content, message = BAD_MAPS[name]
    file = content if name == "missing" else "bad.map.json"
    if name != "missing":
        write(file, content)
    code, out, err = run(capsys, "check", "--baseline", file, "plain.json")
    assert (code, out) == (2, "")
    assert message in err
    assert "help: write it again with kms-access map --output FILE" in err


@pytest.mark.parametrize("name", ["malformed", "of another version"])
def test_a_bad_map_is_an_error_of_diff(name: str, capsys: Capture) -> None:
    write("bad.map.json", BAD_MAPS[name][0])
    code, _, err = run(capsys, "diff", "bad.map.json", "plain.json")
    assert (code, BAD_MAPS[name][1] in err) == (2, True)


def test_a_baseline_lets_what_stood_pass_and_blocks_what_is_new(capsys: Capture) -> None:
    baseline = saved(capsys, "public")
    assert run(capsys, "check", "public.json")[0] == 1
    assert run(capsys, "check", "--baseline", baseline, "public.json")[0] == 0
    write("more.json", template(allow("*", "kms:*")))
    code, out, _ = run(capsys, "check", "--baseline", baseline, "more.json")
    assert (code, "everyone can encrypt with key alias/data" in out) == (1, True)
    write("other.json", template(allow("*", "kms:Decrypt"), allow(REFERENCE, "kms:Encrypt")))
    code, out, _ = run(capsys, "check", "--baseline", baseline, "other.json")
    assert (code, "new-access  user alice can encrypt with key alias/data" in out) == (1, True)


def test_undecided_is_not_covered_by_a_baseline(capsys: Capture) -> None:
    baseline = saved(capsys, "unknown")
    plain = run(capsys, "check", "unknown.json")[0]
    assert plain == 3
    assert run(capsys, "check", "--baseline", baseline, "unknown.json")[0] == 3


def test_the_map_is_printed_as_a_table_or_as_json(capsys: Capture) -> None:
    table = run(capsys, "map", "plain.json")[1]
    assert "user alice" in table
    document = json.loads(run(capsys, "map", "--format", "json", "plain.json")[1])
    assert (document["format"], document["version"]) == ("kms-access map", 1)
    assert run(capsys, "map", "--format", "table", "--output", "t.txt", "plain.json")[0] == 0
    assert Path("t.txt").read_text(encoding="utf-8") == table


def test_what_the_map_cannot_do(capsys: Capture) -> None:
    assert run(capsys, "map", "--proofs", "plain.json")[0] == 2
    code, _, err = run(capsys, "map", "--output", "no/folder/m.json", "plain.json")
    assert (code, "cannot be written: no such file or directory" in err) == (2, True)


def test_init_writes_rules_that_pass(capsys: Capture) -> None:
    code, out, _ = run(capsys, "init", "limited.json")
    assert (code, out) == (0, "access-rules.yaml written: 1 team, 1 key\n")
    assert run(capsys, "check", "--rules", "access-rules.yaml", "limited.json")[0] == 0
    assert run(capsys, "check", "--rules", "access-rules.yaml", "wider.json")[0] == 1


def test_init_overwrites_only_if_it_is_told_to(capsys: Capture) -> None:
    write("access-rules.yaml", "mine")
    code, _, err = run(capsys, "init", "plain.json")
    assert code == 2
    assert '"access-rules.yaml" is there already' in err
    assert "--force" in err
    assert Path("access-rules.yaml").read_text(encoding="utf-8") == "mine"
    assert run(capsys, "init", "--force", "plain.json")[0] == 0
    assert Path("access-rules.yaml").read_text(encoding="utf-8").startswith("# Written by")


def test_init_writes_where_it_is_told_to(capsys: Capture) -> None:
    assert run(capsys, "init", "--output", "r.yaml", "plain.json")[0] == 0
    code, out, _ = run(capsys, "init", "--output", "-", "plain.json")
    assert (code, out) == (0, Path("r.yaml").read_text(encoding="utf-8"))
    assert not Path("access-rules.yaml").exists()
    assert run(capsys, "init", "--output", "no/folder/r.yaml", "plain.json")[0] == 2


def test_init_keeps_the_parameters(capsys: Capture) -> None:
    reader: dict[str, Any] = template(allow({"AWS": {"Ref": "Reader"}}, "kms:Encrypt"))
    reader["Parameters"] = {"Reader": {"Type": "String"}}
    write("parameter.json", reader)
    assert run(capsys, "init", "--parameter", f"Reader={ALICE}", "parameter.json")[0] == 0
    rules = Path("access-rules.yaml").read_text(encoding="utf-8")
    assert f'parameters:\n  Reader: "{ALICE}"' in rules
    assert run(capsys, "check", "--rules", "access-rules.yaml", "parameter.json")[0] == 0
    assert ACCOUNT in ALICE
