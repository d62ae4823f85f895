"""The shop of the hostile day: its folder, what is delivered when, and what a caller would know of its customers."""

import csv
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from tests.hostile import files
from tests.hostile.files import FIRST, Row
from tests.hostile.recount import Recount
from tests.hostile.service import TOKEN
from tests.shops import config_of

LATE = {2: 4, 4: 5}
"""The days whose file comes later, and when: two days later, and one."""
CUT, REPEATING, HALF_WRITTEN = 3, 3, 5
"""The days whose file is cut short at first, holds the first day's rows again, has a half-written row."""
CAMPAIGN, CAMPAIGN_DAY = "spring", "1998-03-01"
OLD_TOKEN = "the-token-of-somebody-who-left"
MORE = """
[columns.orders]
recorded_at = "recorded_at"
[columns.treatments]
recorded_at = "recorded_at"
[train]
trials = 1
[plan]
holdout_share = 0.2
quiet_days = 30
[[offers]]
name = "voucher"
contact_cost = 0.10
incentive_cost = 1.00
save_rate = 0.3
redeem_rate = 0.1
"""


class Shop:
    """A folder with a config, orders, treatments and tokens, to which each day adds."""

    def __init__(self, folder: Path, cdnow: Path, *, seed: int) -> None:
        self.folder, self.chance = folder, random.Random(seed)
        self.orders, self.treatments, self.tokens = (folder / name for name in ("orders", "treatments", "tokens.toml"))
        self.runs = folder / "runs"
        self.orders.mkdir()
        self.treatments.mkdir()
        data = 'treatments = "treatments"'
        (folder / "stayworth.toml").write_text(config_of("orders", horizon_days=60, data=data, more=MORE))
        self.days: dict[int, list[Row]] = {0: files.history(cdnow)}
        files.put(self.orders / "1998-05-31.csv", files.text(self.days[0]))
        self.booked: list[dict[str, str]] = []
        self._book(0, [])
        self.let_in(TOKEN, OLD_TOKEN)

    def file_of(self, number: int) -> Path:
        return self.orders / f"{FIRST + timedelta(days=number - 1)}.csv"

    def as_of(self, number: int) -> date:
        """The morning after a day: its scores know that day."""
        return FIRST + timedelta(days=number)

    def delivered(self, number: int) -> Iterator[Path]:
        """Deliver the files of a day, the late ones of days before among them; yields each that came cut short.

        Whoever takes one has it lie so until asking for the next; then it is delivered again, whole.
        """
        phase = (number - 1) % 5 + 1
        before = [row for rows in self.days.values() for row in rows]
        late = LATE.get(phase, phase) - phase
        self.days[number] = files.of_day(number, before, self.chance, recorded_days_later=late)
        written = self.days[number] + (self.days[number - phase + 1] if phase == REPEATING else [])
        whole = files.text(written)
        if phase == CUT:
            files.put(self.file_of(number), files.cut_short(whole, self.chance))
            yield self.file_of(number)
        if phase == HALF_WRITTEN:
            whole = files.half_written(whole, self.chance)
        if not late:
            files.put(self.file_of(number), whole)
        for earlier, comes in LATE.items():
            if comes == phase:
                held_back = number - comes + earlier
                files.put(self.file_of(held_back), files.text(self.days[held_back]))

    def histories(self) -> dict[str, list[Row]]:
        """What the shop's other programs would send of each customer: every row that lies in the files, once."""
        found = defaultdict(list)
        for row in Recount(self.orders).accepted:
            found[row.customer_id].append(row)
        return {one: rows for one, rows in found.items() if any(row.amount[0] != "-" for row in rows)}

    def book(self, number: int) -> None:
        """Book a fifth of the campaign's contacts; on the third day the second day's are told again."""
        plan = pq.read_table(self.runs / "plans" / f"{CAMPAIGN}.parquet").to_pandas()
        mine = plan.iloc[(number - 1) % 5 :: 5] if number <= 5 else plan.iloc[:0]
        rows = [
            {"customer_id": one, "at": "1998-03-02T09:00:00Z", "campaign": CAMPAIGN, "offer": offer}
            | {"treated": str(treated).lower(), "cost": f"{self.chance.randrange(5, 95) / 100:.2f}" if treated else ""}
            | {"recorded_at": f"{FIRST + timedelta(days=number - 1)}T20:00:00Z"}
            for one, offer, treated in zip(mine["customer_id"], mine["offer"], mine["treated"], strict=True)
        ]
        again = [row for row in self.booked if row["recorded_at"].startswith("1998-06-02")] if number == 3 else []
        self.booked += rows
        self._book(number, rows + again)

    def _book(self, number: int, rows: list[dict[str, str]]) -> None:
        names = ["customer_id", "at", "campaign", "offer", "treated", "cost", "recorded_at"]
        frame = pd.DataFrame(rows, columns=names)
        draft = self.treatments / f".{number}.draft"
        frame.to_csv(draft, index=False, quoting=csv.QUOTE_MINIMAL)
        draft.replace(self.treatments / f"day-{number:02d}.csv")

    def let_in(self, *tokens: str) -> None:
        """Write the tokens file anew with these."""
        lines = [f'caller-{place} = "sha256:{sha256(one.encode()).hexdigest()}"\n' for place, one in enumerate(tokens)]
        files.put(self.tokens, "".join(lines))
