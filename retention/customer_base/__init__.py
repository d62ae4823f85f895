"""The customer base as the analyses see it: one frozen record of frames, and what several analyses compute from it."""
