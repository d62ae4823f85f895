"""How much memory a run may take."""

import os

SHARE_OF_MEMORY = 0.6
"""How much of the machine's memory a run may take unless told."""


def machine_memory() -> int:
    """Bytes a run takes unless told: a share of what the machine has."""
    return int(SHARE_OF_MEMORY * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
