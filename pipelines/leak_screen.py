"""What `check --leaks` prints."""

from typing import Any

from rich.console import Console
from rich.table import Table

from pipelines.leaks import FUTURES
