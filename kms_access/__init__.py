"""Who will be able to do what with which AWS KMS key, decided before a deployment."""
