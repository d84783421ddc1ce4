"""Large assemblies on disk, as `cdk synth` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ACCOUNT = "111122223333"
_ROOT = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":iam::{ACCOUNT}:root"]]}


def write_assembly(folder: Path, *, stacks: int, resources: int) -> Path:
    """`stacks` stacks with `resources` resources in all, of which one in thirty is a key."""
    artifacts: dict[str, Any] = {}
    for number in range(stacks):
        name = f"Stack{number}"
        made = dict(_resources(resources // stacks))
        _write(folder / f"{name}.template.json", {"Resources": made})
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{ACCOUNT}/eu-west-1",
            "properties": {"templateFile": f"{name}.template.json"},
        }
    _write(folder / "manifest.json", {"version": "55.0.0", "artifacts": artifacts})
    return folder


def _resources(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for number in range(count // 30):
        yield f"Key{number}", _resource("AWS::KMS::Key", KeyPolicy=_key_policy(number))
        for role in range(6):
            yield from _role(f"{number}x{role}", f"Key{number}")
        for queue in range(17):
            yield f"Queue{number}x{queue}", _resource("AWS::SQS::Queue", VisibilityTimeout=300)


def _role(name: str, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    trust = _allow("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"})
    yield f"Role{name}", _resource("AWS::IAM::Role", AssumeRolePolicyDocument=_document(trust))
    yield (
        f"Policy{name}",
        _resource(
            "AWS::IAM::Policy",
            PolicyName=f"Policy{name}",
            Roles=[{"Ref": f"Role{name}"}],
            PolicyDocument=_document(
                _allow("kms:Decrypt", Resource={"Fn::GetAtt": [key, "Arn"]}),
                _allow(["s3:GetObject*", "s3:List*"], Resource=f"arn:aws:s3:::data-{name}/*"),
            ),
        ),
    )


def _key_policy(number: int) -> dict[str, Any]:
    user = {"AWS": {"Fn::GetAtt": [f"Role{number}x0", "Arn"]}}
    return _document(
        _allow("kms:*", Resource="*", Principal={"AWS": _ROOT}),
        _allow(["kms:Decrypt", "kms:GenerateDataKey*"], Resource="*", Principal=user),
    )


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(action: str | list[str], **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, **more}


def _resource(type_: str, **properties: Any) -> dict[str, Any]:
    return {"Type": type_, "Properties": properties}


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
