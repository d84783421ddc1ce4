"""The aspect form: where it may be put, and that it never forgets an app."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_kms as kms
from constructs import Construct, RootConstruct

from cdk_aspects import KmsAccessAspect, _evaluation, attach
from cdk_aspects._verdict import Verdict, Violation
from tests.cdk_aspects import apps


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The assemblies that were evaluated; each is found to be broken."""
    asked: list[Path] = []

    def evaluate(assembly: Path, rules: Path | None) -> Verdict:
        asked.append(assembly)
        return Verdict(1, "", (Violation("team-access", "billing can decrypt"),))

    monkeypatch.setattr(_evaluation, "evaluate", evaluate)
    return asked


def test_two_apps_are_both_guarded(tmp_path: Path, asked: list[Path]) -> None:
    aspect = KmsAccessAspect()
    targets: list[Callable[[cdk.App, cdk.Stack], Construct]] = [
        lambda app, stack: app,
        lambda app, stack: stack,
        lambda app, stack: stack,
    ]
    for number, target in enumerate(targets):
        outdir = tmp_path / str(number)
        app = cdk.App(outdir=str(outdir))
        stack = apps.stack(app)
        kms.Key(stack, "Key")
        cdk.Aspects.of(target(app, stack)).add(aspect)
        with pytest.raises(RuntimeError, match="billing can decrypt"):
            app.synth()
        assert asked[number:] == [outdir]


def test_on_many_places_of_one_app_it_speaks_once(tmp_path: Path, asked: list[Path]) -> None:
    app = cdk.App(outdir=str(tmp_path))
    stage = cdk.Stage(app, "Prod")
    stack = apps.stack(stage)
    kms.Key(cdk.NestedStack(stack, "Keys"), "Key")
    aspect = KmsAccessAspect()
    for target in (app, stage, stack):
        cdk.Aspects.of(target).add(aspect)
    with pytest.raises(RuntimeError) as raised:
        app.synth()
    assert asked == [tmp_path]
    assert str(raised.value).count("billing can decrypt") == 1


def test_on_a_single_construct_it_guards_the_app(tmp_path: Path, asked: list[Path]) -> None:
    app = cdk.App(outdir=str(tmp_path))
    key = kms.Key(apps.stack(app), "Key")
    cdk.Aspects.of(key).add(KmsAccessAspect())
    with pytest.raises(RuntimeError, match="billing can decrypt"):
        app.synth()
    assert asked == [tmp_path]


@pytest.mark.parametrize(
    "root", [RootConstruct(), cdk.Stage(RootConstruct(), "Prod")], ids=["bare", "stage"]
)
def test_outside_an_app_it_refuses(root: Construct) -> None:
    """The library would ask nobody."""
    with pytest.raises(ValueError, match="is in no App"):
        KmsAccessAspect().visit(root)
    with pytest.raises(ValueError, match="is in no App"):
        attach(root)


@pytest.mark.parametrize("inner", [False, True], ids=["on the app", "on a stack"])
def test_attach_guards_the_app(tmp_path: Path, asked: list[Path], inner: bool) -> None:
    app = cdk.App(outdir=str(tmp_path))
    stack = apps.stack(app)
    kms.Key(stack, "Key")
    attach(stack if inner else app)
    with pytest.raises(RuntimeError, match="billing can decrypt"):
        app.synth()
    assert asked == [tmp_path]


def test_a_visit_of_a_resource_costs_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """One call into the library per construct would double the price of a synthesis."""
    app = cdk.App()
    key = kms.CfnKey(apps.stack(app), "Key", key_policy={})
    aspect = KmsAccessAspect()
    aspect.visit(app)

    def call(*arguments: object) -> None:
        pytest.fail("a call into the library")

    for kind in ("get", "invoke", "sinvoke", "sget"):
        monkeypatch.setattr(jsii, kind, call)
    aspect.visit(key)
