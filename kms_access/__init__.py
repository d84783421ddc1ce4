"""Who will be able to do what with which AWS KMS key, decided before a deployment."""

__version__ = "0.1.0"
