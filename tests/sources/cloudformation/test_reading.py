"""What is no template is refused with its place; hostile input never crashes or hangs."""

from __future__ import annotations

import copy
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kms_access.sources.cloudformation import load
from kms_access.sources.cloudformation.template import MAXIMUM_RESOURCES
from kms_access.sources.interface import SourceError
from tests.sources.cloudformation.conftest import LoadTemplates
from tests.sources.cloudformation.definitions import (
    OPEN_CONDITION,
    ROOT,
    allow,
    document,
    get,
    if_prod,
    key,
    key_of,
    key_policy,
    may,
    policy,
    resource,
    role,
    template,
)

REFUSED: list[tuple[str, str, bytes, str, tuple[int | None, int | None]]] = [
    ("empty", "t.json", b"", "no template: the file is empty", (None, None)),
    ("blank", "t.yaml", b" \n", "no template: the file is empty", (None, None)),
    ("null", "t.json", b"null", "no template: the file holds no object", (None, None)),
    ("list", "t.json", b"[]", "no template: the file holds no object", (None, None)),
    ("prose", "t.yaml", b"hello", "no template: the file holds no object", (None, None)),
    ("other object", "t.json", b'{"a": 1}', 'there is no "Resources" object', (None, None)),
    ("resources a list", "t.json", b'{"Resources": []}', '"Resources" is no object', (None, None)),
    ("outputs a text", "t.json", b'{"Resources": {}, "Outputs": ""}', '"Outputs" is no object',
     (None, None)),
    ("broken", "t.json", b'{"Resources": {\n  "a": ]}', "no JSON: expecting value", (2, 8)),
    ("cut off", "t.json", b'{"Resources": {"a', "no JSON: unterminated string", (1, 16)),
    ("two values", "t.json", b'{"Resources": {}} {}', "no JSON: extra data", (1, 19)),
    ("not a number", "t.json", b'{"Resources": {"a": NaN}}', '"NaN" is no JSON value',
     (None, None)),
    ("duplicate", "t.json", b'{"Resources": {"a": {},\n "b": {"x": 1, "x": 2}}}',
     'key "x" stands more than once', (2, 13)),
    ("surrogate", "t.json", b'{"Resources": {"a": "\\ud800"}}', "a lone surrogate", (1, 21)),
    ("surrogate key", "t.json", b'{"Resources": {"\\udc00": 1}}', "a lone surrogate", (1, 15)),
    ("deep", "t.json", b'{"Resources":' + b"[" * 200 + b"]" * 200 + b"}", "nested more than",
     (None, None)),
    ("deep, never closed", "t.json", b"[" * 100_000, "nested more than", (None, None)),
    ("quotes", "t.json", b'{"Resources": "' + b'\\"' * 500_000, "no JSON", (1, 15)),
    ("latin-1", "t.json", b'{"Resources": "\xe9"}', "byte 15 is not UTF-8 text", (None, None)),
    ("binary", "t.json", bytes(range(256)), "is not UTF-8 text", (None, None)),
    ("large", "t.json", b" " * (5 << 20), "at most 4194304 are accepted", (None, None)),
    ("control character", "t.yaml", b"a: \x01", "no YAML", (None, None)),
    ("broken YAML", "t.yaml", b"Resources:\n  a: @x", "no YAML", (2, 6)),
    ("anchor", "t.yaml", b"Resources: &a {}", 'the anchor "&a" is not accepted', (1, 12)),
    ("alias", "t.yaml", b"Resources: *a", 'the alias "*a" is not accepted', (1, 12)),
    ("merge key", "t.yaml", b"Resources:\n  <<: {a: b}", 'the merge key "<<"', (2, 3)),
    ("duplicate YAML key", "t.yaml", b"Resources:\n  a: 1\n  a: 2", 'key "a" stands', (3, 3)),
    ("python tag", "t.yaml", b"Resources: !!python/object:os.system {}",
     'the tag "!!python/object:os.system"', (1, 12)),
    ("binary tag", "t.yaml", b"Resources: !!binary aGVsbG8=", 'the tag "!!binary"', (1, 12)),
    ("unknown tag", "t.yaml", b"Resources: !Foo x", 'the tag "!Foo"', (1, 12)),
    ("two documents", "t.yaml", b"---\nResources: {}\n---\na: 1", "a second document", (3, 1)),
    ("key is a list", "t.yaml", b"? [a]\n: b", "a key is a collection", (1, 3)),
    ("deep YAML", "t.yaml", b"Resources: " + b"[" * 150 + b"]" * 150, "nested more than 100",
     (1, 111)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "message", "place"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
def test_what_is_no_template_is_refused_with_its_place(
    project: Path, name: str, content: bytes, message: str, place: tuple[int | None, int | None]
) -> None:
    Path(name).write_bytes(content)
    with pytest.raises(SourceError) as error:
        load([Path(name)])
    assert message in error.value.message
    assert error.value.file == name
    if place != (None, None):
        assert (error.value.line, error.value.column) == place


def test_too_many_resources_are_refused(load_templates: LoadTemplates) -> None:
    many = {f"R{i}": {"Type": "AWS::IAM::Role"} for i in range(MAXIMUM_RESOURCES + 1)}
    with pytest.raises(SourceError, match=f"at most {MAXIMUM_RESOURCES} are accepted"):
        load_templates(S=template(**many))


def test_paths_that_are_no_templates(project: Path) -> None:
    (project / "empty").mkdir()
    (project / "other").mkdir()
    (project / "other" / "file").write_text("", encoding="utf-8")
    (project / "cdk.out").mkdir()
    (project / "cdk.out" / "manifest.json").write_text("{}", encoding="utf-8")
    os.mkfifo(project / "pipe")
    for path, message in (
        ("missing", 'there is no file or folder "missing"'),
        ("empty", 'an empty folder without "manifest.json"'),
        ("other", 'a folder without "manifest.json"'),
        ("cdk.out/manifest.json", "a manifest is no template"),
        ("pipe", '"pipe" is no file'),
        ("a\0b", "there is no file or folder"),
    ):
        with pytest.raises(SourceError, match=message) as error:
            load([Path(path)])
        assert error.value.file == path
        assert not error.value.message.endswith(".")
    with pytest.raises(SourceError, match="no path is given"):
        load([])


def test_a_byte_order_mark_is_accepted(project: Path) -> None:
    Path("t.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(template(K=key())).encode())
    assert key_of(load([Path("t.json")])).origin.identity == "t/K"


def test_one_path_given_twice_is_one_template(project: Path) -> None:
    Path("t.json").write_text(json.dumps(template(K=key())), encoding="utf-8")
    assert len(load([Path("t.json"), Path("./t.json")]).keys) == 1


def nested(levels: int, function: str, value: Any) -> Any:
    for _ in range(levels):
        value = {function: ["IsProd", value, "x"] if function == "Fn::If" else ["", [value, "x"]]}
    return value


BOMBS: dict[str, dict[str, Any]] = {
    "deep Join": template(K=key(Description=nested(45, "Fn::Join", "x"))),
    "deep If": template(
        OPEN_CONDITION, K=resource("AWS::KMS::Key", KeyPolicy=nested(45, "Fn::If", "x"))
    ),
    "names that double": template(
        **{f"R{i}": role(RoleName={"Fn::Sub": f"${{R{i + 1}}}${{R{i + 1}}}"}) for i in range(60)},
        R60=role(),
    ),
    "a chain of names": template(
        **{f"R{i}": role(RoleName={"Ref": f"R{i + 1}"}) for i in range(1_000)}, R1000=role()
    ),
    "a deep choice and a chain of names": template(
        OPEN_CONDITION,
        **{f"R{i}": role(RoleName={"Fn::Sub": f"${{R{i + 1}}}"}) for i in range(500)},
        R500=role(),
        K=key(allow(if_prod(nested(25, "Fn::Join", {"Ref": "R0"})))),
    ),
    "conditions that double": template(
        {
            **OPEN_CONDITION,
            "Conditions": {
                **OPEN_CONDITION["Conditions"],
                **{f"C{i}": {"Fn::Or": [{"Condition": f"C{i + 1}"}] * 2} for i in range(100)},
                "C100": {"Condition": "C0"},
            },
        },
        K=key({"Fn::If": ["C0", allow(ROOT), if_prod(allow(ROOT))]}),
    ),
    "exports that double": template(
        {
            "Outputs": {
                f"O{i}": {
                    "Value": {"Fn::Join": ["", [{"Fn::ImportValue": f"o{i + 1}"}] * 2]},
                    "Export": {"Name": f"o{i}"},
                }
                for i in range(100)
            }
        },
        K=key(allow({"Fn::ImportValue": "o0"})),
    ),
    "many readings": template(
        OPEN_CONDITION, K=key(*[allow(if_prod("*", "x")) for _ in range(3_000)])
    ),
    "policies of anybody": template(
        {"Parameters": {"P": {"Type": "String"}}},
        **{f"R{i}": role() for i in range(500)},
        **{f"P{i}": policy(may("kms:*"), Roles=[{"Fn::Sub": f"{i}${{P}}"}]) for i in range(500)},
    ),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_a_plain_inventory(load_templates: LoadTemplates, bomb: dict[str, Any]) -> None:
    inventory = load_templates(S=bomb)
    assert len(inventory.keys) + len(inventory.identities) > 0


def test_a_long_pattern_of_a_parameter_is_never_run(load_templates: LoadTemplates) -> None:
    parameter = {"Type": "String", "AllowedPattern": "^(a+)+$", "AllowedValues": ["(", "a" * 40]}
    stack = template(
        {"Parameters": {"P": parameter}}, K=key(allow({"Ref": "P"}), Description={"Ref": "P"})
    )
    (found,) = key_of(load_templates(S=stack)).description.unknowns  # type: ignore[union-attr]
    assert found.could_be("(")
    assert not found.could_be("a" * 39 + "!")


BASE = template(
    {
        **OPEN_CONDITION,
        "Mappings": {"M": {"a": {"b": "c"}}},
        "Outputs": {"O": {"Value": get("R"), "Export": {"Name": "o"}}},
    },
    K=key(allow(ROOT), if_prod(allow(get("R")))),
    R=role(
        RoleName={"Fn::Sub": "r-${Stage}"},
        Policies=[{"PolicyName": "i", "PolicyDocument": document(may("kms:*", get("K")))}],
        ManagedPolicyArns=[{"Ref": "M"}],
        PermissionsBoundary={"Ref": "M"},
        Tags=[{"Key": "a", "Value": "b"}],
    ),
    U=resource("AWS::IAM::User", Groups=[{"Ref": "G"}]),
    G=resource("AWS::IAM::Group"),
    M=resource("AWS::IAM::ManagedPolicy", PolicyDocument=document(may("kms:*")), Users=["u"]),
    P=policy(may("kms:*"), Roles=[{"Ref": "R"}], Groups=[{"Ref": "G"}]),
    A=resource("AWS::KMS::Alias", AliasName="alias/a", TargetKeyId={"Ref": "K"}),
    L=resource("AWS::KMS::ReplicaKey", PrimaryKeyArn=get("K")),
    N=resource("AWS::CloudFormation::Stack", TemplateURL="x"),
    C=resource("Custom::AWS", Create={"Fn::Sub": '{"service":"KMS","action":"createGrant"}'}),
)
LEAVES = st.sampled_from(
    [
        *(None, True, 5, 1.5, "", "*", "K", "R", "x:y/z", "${K.Arn}", "{{resolve:ssm:x}}"),
        *({"Ref": "AWS::NoValue"}, {"Ref": "Stage"}, {"Ref": "K"}, get("R"), get("L"), "\0"),
    ]
)
FUNCTIONS = st.sampled_from(
    [
        *("Ref", "Fn::GetAtt", "Fn::Join", "Fn::Sub", "Fn::Select", "Fn::Split", "Fn::If"),
        *("Fn::FindInMap", "Fn::ImportValue", "Fn::GetStackOutput", "Fn::Transform", "Fn::Not"),
        *("Fn::ToJsonString", "Fn::Length", "Fn::Equals", "Fn::ForEach::x", "Condition"),
        *("Statement", "Principal", "Type", "Properties", "Value"),
    ]
)
NODES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(FUNCTIONS, inner, max_size=2)
    ),
    max_leaves=8,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every member below a node."""
    if not isinstance(node, (dict, list)):
        return []
    members = node.items() if isinstance(node, dict) else enumerate(node)
    found = [((*path, name), value) for name, value in members]
    return [place for step, value in found for place in (step, *places(value, step))]


def damage(node: Any, path: tuple[Any, ...], value: Any) -> None:
    """Put `value` at `path`, if the path still exists."""
    for step in path[:-1]:
        node = node[step]
    if isinstance(node, dict) or path[-1] in range(len(node)):
        node[path[-1]] = value


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(changes=st.lists(st.tuples(st.sampled_from(places(BASE)), NODES), min_size=1, max_size=4))
def test_a_damaged_template_is_an_inventory_or_a_source_error(
    load_templates: LoadTemplates, changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    damaged = copy.deepcopy(BASE)
    for path, value in changes:
        with suppress(KeyError, IndexError, TypeError):
            damage(damaged, path, value)
    with suppress(SourceError):
        assert all(found.policies for found in load_templates(S=damaged).keys)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_any_bytes_are_an_inventory_or_a_source_error(project: Path, content: bytes) -> None:
    for name in ("t.json", "t.yaml"):
        Path(name).write_bytes(content)
        with pytest.raises(SourceError):
            load([Path(name)])


def test_a_repaired_template_is_whole(load_templates: LoadTemplates) -> None:
    """The base of the damaged ones: nothing of it is unreadable."""
    inventory = load_templates(S=BASE)
    assert len(key_policy(inventory).statements) == 2
    assert [k.origin.identity for k in inventory.keys] == ["S/K", "S/L"]
