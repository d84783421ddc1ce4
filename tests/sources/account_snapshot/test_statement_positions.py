"""The hop of a statement of a snapshot gives the line where the file of the response has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from kms_access.decisions.decision import Decision, Verdict
from kms_access.decisions.matching import Hit
from kms_access.decisions.proof import Proof
from kms_access.inventory.model import Inventory, Policy
from kms_access.policies.answers import YES
from kms_access.policies.document import ALLOW
from kms_access.sources.account_snapshot import load_snapshot
from tests.builders import ACCOUNT, allow, document, iam
from tests.sources.account_snapshot.folder import DETAILS, LEDGER, files, of_key, write

BOTH = document(*({"Sid": sid, **allow("*", "kms:Sign")} for sid in ("One", "Two")))
KEY_POLICY = of_key(LEDGER, "get-key-policy")


def policies_of(inventory: Inventory) -> list[Policy]:
    identities = inventory.identities
    return [
        *(policy for key in inventory.keys for policy in key.policies),
        *(policy for one in identities for policy in (*one.policies, *one.boundary, *one.trust)),
        *(managed.policy for managed in inventory.managed_policies),
    ]


def lines_of_hops(inventory: Inventory, file: str) -> dict[str, int | None]:
    """The lines that proofs by statements of a file show, by Sid."""
    lines: dict[str, int | None] = {}
    for policy in policies_of(inventory):
        for statement in policy.document.statements:
            hit = Hit(policy, ALLOW, YES, statement)
            (hop,) = Proof.of(Decision(Verdict.ALLOWED, (hit,))).hops
            if hop.origin.file.endswith(file) and statement.sid:
                assert lines.setdefault(statement.sid, hop.origin.line) == hop.origin.line
    return lines


def written(folder: Path, found: dict[str, Any], file: str) -> tuple[Inventory, list[str]]:
    """The inventory of files with one member on each line, and the lines of one of them."""
    indented = {name: json.dumps(content, indent=1) for name, content in found.items()}
    return load_snapshot(write(folder, indented)), indented[file].splitlines()


def object_of(lines: list[str], sid: str) -> int:
    """The line where the statement begins: its Sid comes first in it."""
    (line,) = (n for n, one in enumerate(lines) if one.strip() == f'"Sid": "{sid}",')
    assert lines[line - 1].strip().endswith("{")
    return line


def test_statements_of_identities_have_lines_of_their_own(tmp_path: Path) -> None:
    found = files()
    details = found[DETAILS]
    (api,) = details["RoleDetailList"]
    other = {**api, "RoleName": "other", "Arn": f"{api['Arn']}-2", "RolePolicyList": []}
    api["RolePolicyList"][0]["PolicyDocument"] = document(
        {"Sid": "First", **iam("kms:Sign")}, {"Sid": "Second", **iam("kms:Sign")}
    )
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    api["AssumeRolePolicyDocument"] = document({"Sid": "Trust", **trust})
    details["RoleDetailList"] = [other, api]
    versions = details["Policies"][0]["PolicyVersionList"]
    versions[1]["Document"] = {
        "Version": "2012-10-17",
        "Statement": {"Sid": "Managed", **iam("kms:Sign")},
    }
    auditors = details["GroupDetailList"][0]["GroupPolicyList"][0]
    auditors["PolicyDocument"] = document({"Sid": "Group", **iam("kms:Sign")})
    inventory, lines = written(tmp_path, found, DETAILS)
    sids = ("First", "Second", "Trust", "Managed", "Group")
    expected = {sid: object_of(lines, sid) for sid in sids}
    assert lines_of_hops(inventory, DETAILS) == expected


def test_statements_of_a_key_policy_have_lines_of_their_own(tmp_path: Path) -> None:
    found = files()
    found[KEY_POLICY] = {"Policy": BOTH}
    inventory, lines = written(tmp_path, found, KEY_POLICY)
    expected = {sid: object_of(lines, sid) for sid in ("One", "Two")}
    assert lines_of_hops(inventory, KEY_POLICY) == expected


@pytest.mark.parametrize("encode", [str, quote])
def test_statements_in_a_string_have_the_line_of_the_string(tmp_path: Path, encode: Any) -> None:
    found = files()
    text = json.dumps(BOTH)
    found[KEY_POLICY] = {"PolicyName": "default", "Policy": encode(text)}
    inventory, lines = written(tmp_path, found, KEY_POLICY)
    (line,) = (n for n, one in enumerate(lines, 1) if one.strip().startswith('"Policy":'))
    assert lines_of_hops(inventory, KEY_POLICY) == {"One": line, "Two": line}
