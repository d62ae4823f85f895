"""The customer base of the analyses: one frozen record of frames, and computations that several analyses share."""
