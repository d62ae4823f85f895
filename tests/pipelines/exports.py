"""A small shop whose truth is known, and the many ways in which systems write its orders down."""

import gzip
import io
import json
import sqlite3
import zipfile
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

FIRST = pd.Timestamp("2024-06-03")


def lines_of_shop() -> pd.DataFrame:
    """Lines of some 300 orders of 40 customers: order_id, customer_id, ordered_at, sku, quantity, amount."""
    rng = np.random.default_rng(20)
    rows = []
    for number in range(300):
        customer = f"{int(rng.integers(100, 140)):05d}"
        at = FIRST + pd.Timedelta(minutes=int(rng.integers(0, 870 * 1440)))
        for _ in range(int(rng.integers(1, 4))):
            cents = int(rng.integers(150, 9_000)) if rng.random() < 0.8 else int(rng.integers(100_000, 250_000))
            rows.append((f"{5000 + number}", customer, at, f"SKU{int(rng.integers(0, 30)):03d}", 1, cents / 100))
    return pd.DataFrame(rows, columns=["order_id", "customer_id", "ordered_at", "sku", "quantity", "amount"])


LINES = lines_of_shop()
ORDERS = (
    LINES.groupby("order_id", sort=False)
    .agg(customer_id=("customer_id", "first"), ordered_at=("ordered_at", "first"), amount=("amount", "sum"))
    .reset_index()
)
NAMES = {"order_id": "order_id", "customer_id": "customer_id", "ordered_at": "ordered_at", "amount": "amount"}


def truth(orders: pd.DataFrame = ORDERS) -> pd.DataFrame:
    """Orders, money and time of the last order of each customer."""
    grouped = orders.groupby("customer_id")
    return pd.DataFrame(
        {
            "orders": grouped["order_id"].nunique(),
            "spend": grouped["amount"].sum().round(2),
            "last": grouped["ordered_at"].max(),
        }
    )


def plain(**columns) -> pd.DataFrame:
    """The lines under our names as text, some columns changed."""
    frame = LINES.assign(ordered_at=LINES["ordered_at"].dt.strftime("%Y-%m-%d %H:%M:%S"), amount=money(LINES["amount"]))
    return frame.drop(columns=["sku", "quantity"]).assign(**columns)


def money(amounts: pd.Series, form: str = "{:.2f}") -> pd.Series:
    """Amounts as text."""
    return amounts.map(form.format)


def times(form: str) -> pd.Series:
    """The times of the lines as text."""
    return LINES["ordered_at"].dt.strftime(form)


def european(amounts: pd.Series, thousands: str = ".") -> pd.Series:
    """1.234,50"""
    return amounts.map(lambda value: f"{value:,.2f}".replace(",", "§").replace(".", ",").replace("§", thousands))


def csv(
    path: Path, frame: pd.DataFrame, *, sep: str = ",", encoding: str = "utf-8", above: str = "", below: str = ""
) -> Path:
    """Write a frame as delimited text."""
    path.write_bytes((above + frame.to_csv(index=False, sep=sep) + below).encode(encoding))
    return path


def packed(path: Path, frame: pd.DataFrame, sep: str = ",") -> Path:
    """Write a CSV into a gzip or zip."""
    text = frame.to_csv(index=False, sep=sep).encode()
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("export/orders.csv", text)
            archive.writestr("__MACOSX/._orders.csv", b"junk")
    return path


def json_lines(path: Path, frame: pd.DataFrame) -> Path:
    """A line of JSON for each row, the customer an object of its own."""
    rows = [
        {
            "order_id": row.order_id,
            "customer": {"id": row.customer_id},
            "ordered_at": row.ordered_at,
            "amount": float(row.amount),
        }
        for row in frame.itertuples()
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def sqlite(path: Path, frame: pd.DataFrame, table: str = "orders") -> Path:
    """A table of a SQLite file beside another one."""
    with sqlite3.connect(path) as connection:
        connection.execute("create table settings (name text)")
        columns = ", ".join(f'"{name}"' for name in frame)
        connection.execute(f'create table "{table}" ({columns})')
        connection.executemany(
            f'insert into "{table}" values ({", ".join("?" * frame.shape[1])})', frame.to_numpy().tolist()
        )
    connection.close()
    return path


def duckdb_file(path: Path, frame: pd.DataFrame) -> Path:
    """A table of a DuckDB file."""
    with duckdb.connect(str(path)) as db:
        db.register("frame", pa.Table.from_pandas(frame, preserve_index=False))
        db.execute("create table orders as from frame")
    return path


def parquet(path: Path, **columns) -> Path:
    """The lines as Parquet, some columns changed."""
    pq.write_table(pa.table({name: pa.array(column) for name, column in columns.items()}), path)
    return path


CELL = '<c r="{place}"{kind}>{value}</c>'


def workbook(path: Path, sheets: dict[str, pd.DataFrame], *, above: int = 0) -> Path:
    """An Excel workbook written by hand: text inline, numbers as numbers, times as serial numbers in a date style."""
    names = list(sheets)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        types = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
            for n in range(1, len(names) + 1)
        )
        book.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
            'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" '
            f'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>{types}</Types>',
        )
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        rels = "http://schemas.openxmlformats.org/package/2006/relationships"
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{rels}"><Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        links = "".join(
            f'<Relationship Id="rId{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(names) + 1)
        )
        links += f'<Relationship Id="rId99" Type="{office}/styles" Target="styles.xml"/>'
        book.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{rels}">{links}</Relationships>')
        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        listed = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, 1))
        book.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>'
        )
        book.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{main}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>'
            '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>',
        )
        for number, frame in enumerate(sheets.values(), 1):
            book.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f'<worksheet xmlns="{main}"><sheetData>{_rows(frame, above)}</sheetData></worksheet>',
            )
    return path


def _rows(frame: pd.DataFrame, above: int) -> str:
    rows = [["Report of the orders"]] * above + [list(frame)] + frame.to_numpy().tolist()
    out = io.StringIO()
    for number, row in enumerate(rows, 1):
        cells = "".join(_cell(f"{chr(65 + place)}{number}", value) for place, value in enumerate(row))
        out.write(f'<row r="{number}">{cells}</row>')
    return out.getvalue()


def _cell(place: str, value: object) -> str:
    if isinstance(value, pd.Timestamp):
        serial = (value - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)
        return CELL.format(place=place, kind=' s="1"', value=f"<v>{serial!r}</v>")
    if isinstance(value, int | float):
        return CELL.format(place=place, kind="", value=f"<v>{value}</v>")
    return CELL.format(place=place, kind=' t="inlineStr"', value=f"<is><t>{value}</t></is>")
