"""A pandas data frame as a table of Arrow."""

import pandas as pd
import pyarrow as pa

from features.errors import InputError


def arrow_of(frame: pd.DataFrame, *, where: str) -> pa.Table:
    """Convert a frame to Arrow, which types whole columns, while DuckDB would look at only some rows."""
    columns = {}
    for name, column in frame.items():
        try:
            if isinstance(column.dtype, pd.DatetimeTZDtype):
                utc = pa.array(column.dt.tz_convert(None).to_numpy()).cast(pa.timestamp("us"), safe=False)
                columns[str(name)] = utc.cast(pa.timestamp("us", "UTC"))
            else:
                columns[str(name)] = pa.array(column, from_pandas=True)
        except pa.ArrowException as error:
            raise InputError(f"column {name} mixes types: {error}", where=where, next="Give it one type.") from None
    return pa.table(columns)
