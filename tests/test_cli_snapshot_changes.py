"""An account snapshot among the definitions of a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kms_access.cli import main
from tests.builders import iam
from tests.sources.account_snapshot.folder import DETAILS, LEDGER, document, files, of_key, write


def test_diff_tells_what_an_account_gained_since_a_snapshot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    without_grant = files() | {of_key(LEDGER, "list-grants"): {"Grants": []}}
    before, after = write(tmp_path / "before", without_grant), write(tmp_path / "after")
    assert main(["diff", str(before), str(after)]) == 1
    assert "gained  role backup has decrypt on key alias/ledger" in capsys.readouterr().out
    assert main(["diff", str(after), str(after)]) in (0, 3)


def test_a_changed_managed_policy_reaches_the_deployed_role_that_has_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shared,) = files()[DETAILS]["Policies"]
    snapshot = write(tmp_path / "account")
    urn = "urn:pulumi:dev::shop::aws:iam/policy:Policy::shared"
    inputs = {
        "name": shared["PolicyName"],
        "path": "/",
        "policy": json.dumps(document(iam("kms:Encrypt"))),
    }
    planned = {"urn": urn, "type": "aws:iam/policy:Policy", "custom": True, "inputs": inputs}
    planned |= {"id": shared["Arn"], "outputs": {**inputs, "arn": shared["Arn"]}}
    stack = tmp_path / "stack.json"
    stack.write_text(json.dumps({"version": 3, "deployment": {"resources": [planned]}}))
    asked = ["can", "api", "kms:Decrypt", "alias/ledger", "--snapshot", str(snapshot)]
    assert main(asked) == 0
    assert main([*asked, str(stack)]) == 1
    assert capsys.readouterr().err == ""
