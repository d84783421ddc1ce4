"""The guard as a pack of cdk-nag 3, for apps that register packs.

    import aws_cdk as cdk
    from cdk_aspects.nag import KmsAccessChecks

    cdk.Validations.of(app).add_plugins(
        cdk_nag.AwsSolutionsChecks(app), KmsAccessChecks(app, rules="access-rules.yaml")
    )

Install with `pip install 'kms-access[nag]'`.
"""

from __future__ import annotations

import os

import aws_cdk as cdk
from constructs import IConstruct

from cdk_aspects._nag_version import require_nag_packs
from cdk_aspects._plugin import KmsAccessPlugin
from cdk_aspects._verdict import blocked

require_nag_packs()

# The library is checked before its classes are used.
import cdk_nag  # noqa: E402

__all__ = ["KmsAccessChecks"]

PACK = "KmsAccess"
NO_TEMPLATES = blocked(
    "not-evaluated",
    2,
    "kms-access judges the templates of an app, and was asked about constructs",
    help="register the pack with cdk.Validations.of(app).add_plugins and synthesize the app",
)


class KmsAccessChecks(cdk_nag.NagPack):
    """A nag pack that gives the findings of `KmsAccessPlugin`, and blocks as it does.

    A nag rule sees one construct, without overrides and without the policies of others, so the pack
    has none: it takes the place of `validate` and judges the written templates. Its findings are
    fatal, which is why an acknowledgment by the app does not excuse them; waivers stand in the
    rules file. `rules` and `exit_process` are those of `KmsAccessPlugin`.
    """

    def __init__(
        self,
        scope: IConstruct | None = None,
        *,
        rules: str | os.PathLike[str] | None = None,
        exit_process: bool = True,
    ) -> None:
        super().__init__(scope)
        self._pack_name = PACK
        self._plugin = KmsAccessPlugin(rules, exit_process=exit_process)

    @property
    def name(self) -> str:
        """The pack's name in reports."""
        return PACK

    @property
    def version(self) -> str | None:
        """The version of kms-access, where it is installed as a distribution."""
        return self._plugin.version

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Called by the library when the whole assembly is written. Never raises."""
        return self._plugin.validate(context)

    def validate_scope(self, scope: IConstruct) -> cdk.PolicyValidationPluginReport:
        """Fails: cdk-nag offers this for constructs alone, which do not decide access."""
        return self._plugin.report(NO_TEMPLATES)

    def _check_resource(self, node: cdk.CfnResource) -> None:
        """Not called, because `validate` does not walk the constructs."""
        raise NotImplementedError(NO_TEMPLATES.text)
