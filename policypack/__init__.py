"""The Pulumi policy pack of kms-access: `pulumi preview --policy-pack policypack`.

The pack collects what the engine tells about keys, identities and grants, hands it to the
evaluator, and reports its findings. It decides nothing about access itself.

Installed as a package, `policypack.policies.policies()` gives the policies for a pack of your own.
"""
