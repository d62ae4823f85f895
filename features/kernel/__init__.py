"""The compiled pass: the `feature` decorator, slices, and the code generated from both."""
