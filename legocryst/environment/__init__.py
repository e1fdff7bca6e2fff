"""Local environments: neighbours, descriptors, targets, validity."""
