"""The memory a run may take."""

import os

SHARE_OF_MEMORY = 0.6
"""The share of the machine's memory that a run may take by default."""


def machine_memory() -> int:
    """Bytes that a run may take by default: a share of the machine's memory."""
    return int(SHARE_OF_MEMORY * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
