"""Stop `cdk synth` when an app gives access to KMS keys that the access rules do not allow.

    import aws_cdk as cdk
    from cdk_aspects import attach

    app = cdk.App()
    attach(app, rules="access-rules.yaml")

The aspect `KmsAccessAspect`, the plugin `KmsAccessPlugin` and the pack for cdk-nag,
`cdk_aspects.nag.KmsAccessChecks`, do the same for apps that collect such. All of them cover all
stacks of the app, those of its Stages and nested stacks included. See docs/cdk.md.

Import it before constructs are made: findings then name the lines of the app that made them.
"""

from __future__ import annotations

import os

from cdk_aspects._version import UnsupportedLibraryError, require_supported_library

require_supported_library()

# jsii looks at this each time a construct is made, and records where only if it is set.
os.environ.setdefault("JSII_HOST_STACK_TRACES", "1")

# The library is checked before anything uses what older versions lack.
from cdk_aspects._aspect import KmsAccessAspect, attach  # noqa: E402
from cdk_aspects._plugin import KmsAccessPlugin  # noqa: E402

__all__ = ["KmsAccessAspect", "KmsAccessPlugin", "UnsupportedLibraryError", "attach"]
