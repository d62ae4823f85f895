"""Whether the champion is still right: what moved, what matured, which limits were passed, and why a score changed."""
