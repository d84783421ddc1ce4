"""CloudFormation templates and cloud assemblies of the AWS CDK -> Inventory."""

from __future__ import annotations

from kms_access.sources.cloudformation.loading import load

__all__ = ["load"]
