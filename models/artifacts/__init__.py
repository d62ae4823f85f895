"""Models as data: bundles under SHA-256, the MLflow registry, and the flavour that loads anywhere."""
