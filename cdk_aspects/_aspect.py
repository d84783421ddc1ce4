"""The aspect form, and its short cut."""

from __future__ import annotations

import os
import weakref

import aws_cdk as cdk
import jsii
from constructs import IConstruct

from cdk_aspects._early_import import EarlyImport
from cdk_aspects._plugin import KmsAccessPlugin


@jsii.implements(cdk.IAspect)
class KmsAccessAspect:
    """An aspect for `cdk.Aspects.of(app).add(...)` that guards the whole app.

    It decides nothing while it visits: constructs do not show overrides, and references to other
    stacks are ambiguous there. It registers the plugin, which judges the written templates.
    Put it on the App, a Stage or a Stack; the access of the whole app is judged in each case.
    Arguments are those of `KmsAccessPlugin`.
    """

    def __init__(
        self, rules: str | os.PathLike[str] | None = None, *, exit_process: bool = True
    ) -> None:
        self._plugin = KmsAccessPlugin(rules, exit_process=exit_process)
        self._guarded: weakref.WeakSet[cdk.App] = weakref.WeakSet()

    def visit(self, node: IConstruct) -> None:
        """Called by the library for each construct below the target, the target first.

        A remembered "done" would leave the second app of a process without a guard, so every Stage
        (an App is one) and every Stack is looked at; others cost no call into the library.
        Raises `ValueError` for a construct outside of any App.
        """
        if isinstance(node, cdk.Stage | cdk.Stack) or not self._guarded:
            app = _app_of(node)
            if app not in self._guarded:
                self._guarded.add(app)
                _guard(app, self._plugin)


def attach(
    scope: IConstruct,
    rules: str | os.PathLike[str] | None = None,
    *,
    exit_process: bool = True,
) -> None:
    """Guard the app that `scope` is or belongs to, at the price of no visit at all.

    Arguments are those of `KmsAccessPlugin`. Raises `ValueError` for a construct outside of any
    App.
    """
    _guard(_app_of(scope), KmsAccessPlugin(rules, exit_process=exit_process))


def _guard(app: cdk.App, plugin: KmsAccessPlugin) -> None:
    cdk.Validations.of(app).add_plugins(plugin)
    app.node.add_validation(EarlyImport())


def _app_of(scope: IConstruct) -> cdk.App:
    """The App at the root, the only place where a plugin is asked once, and about all stacks.

    jsii passes a plugin of ours to the library as a new object each time, so that one on two Stages
    is asked twice; and the library asks nobody when there is no App.
    """
    root = scope.node.root
    if not isinstance(root, cdk.App):
        raise ValueError(f'"{scope.node.path}" is in no App, kms-access cannot guard it')
    return root
