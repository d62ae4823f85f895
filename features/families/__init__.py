"""The features, one file a family, and the catalogue of all."""
