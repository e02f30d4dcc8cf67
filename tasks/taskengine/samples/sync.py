"""``sync.import_csv``: a CSV file of products into SQLite, page by page, as often as one likes."""

import csv
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from taskengine import Backoff, current_job
from taskengine.samples.house import engine, this_job
from taskengine.samples.luck import FailureRate, breaking_step
from taskengine.samples.places import CsvFile, PathRefused, output_folder, readable_file, shown

SHOWN_PROBLEMS = 20


class Target(StrEnum):
    """The database that a file is imported into."""

    LIVE = "LIVE"
    STAGING = "STAGING"


class Category(StrEnum):
    """What kind of product it is."""

    KITCHEN = "KITCHEN"
    GARDEN = "GARDEN"
    OFFICE = "OFFICE"
    OUTDOOR = "OUTDOOR"


class Product(BaseModel):
    """One row of the file, and one of the table."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)

    sku: Annotated[str, Field(pattern=r"^[A-Z]{3}-\d{4,8}$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    category: Category
    price: Annotated[Decimal, Field(ge=0, max_digits=10, decimal_places=2)]
    stock: Annotated[int, Field(ge=0)]
    updated_on: date


class Problem(BaseModel):
    """A row that was left out, and why."""

    line: int
    field: str
    problem: str


class SyncReport(BaseModel):
    """What an import changed."""

    source: str
    database: str
    rows: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    rejected: int = 0
    problems: list[Problem] = Field(default_factory=list[Problem], description="The first 20 rejected rows.")


class SourceUnavailable(OSError):
    """The source went away in the middle (by chance, see ``failure_rate``)."""


class TooManyRejected(ValueError):
    """More rows cannot be used than the caller is ready to leave out. Pages before it stay imported."""

    def __init__(self, rejected: int, allowed: int, last: Problem) -> None:
        super().__init__(rejected, allowed, last)
        self.rejected, self.allowed, self.last = rejected, allowed, last

    def __str__(self) -> str:
        last = f"line {self.last.line}, {self.last.field}: {self.last.problem}"
        return f"{self.rejected} rows cannot be used, expected at most {self.allowed}; the last is {last}"


@engine.task(
    name="sync.import_csv",
    queue="sync",
    priority=5,
    max_attempts=6,
    timeout=120,
    retry_on=(OSError, sqlite3.OperationalError),
    fail_on=(PathRefused, TooManyRejected),
    backoff=Backoff(base_seconds=0.5, factor=2, cap_seconds=30, jitter=True),
)
def import_csv(
    source: CsvFile = "packaged/products.csv",
    *,
    target: Annotated[Target, Field(description="The database to import into.")] = Target.STAGING,
    page_size: Annotated[int, Field(ge=1, le=1_000, description="Rows a transaction.")] = 25,
    changed_since: Annotated[date | None, Field(description="Leave out rows that are older than this day.")] = None,
    dry_run: Annotated[bool, Field(description="Only say what would change; roll every page back.")] = False,
    max_rejected: Annotated[int, Field(ge=0, description="Fail when more rows than this cannot be used.")] = 50,
    failure_rate: FailureRate = 0.0,
) -> SyncReport:
    """Import a CSV file of products into a database.

    Reads page by page, checks every row, and writes each page in one transaction: new products are
    inserted, changed ones updated. Rows that cannot be used are left out and named in the result.
    An import can be repeated at will; the second time it changes nothing.
    """
    file = readable_file(source)
    database = output_folder("databases") / f"{target.value.lower()}.sqlite3"
    report = SyncReport(source=source, database=shown(database))
    job_id, attempt = this_job()
    total = sum(1 for _ in _numbered_rows(file))
    breaks_at = breaking_step(job_id, attempt, failure_rate, -(-total // page_size))
    with closing(_connect(database)) as connection:
        for number, page in enumerate(_pages(file, page_size)):
            if number == breaks_at:
                raise SourceUnavailable(f"{source} went away before page {number + 1}, after {report.rows} rows")
            _import_page(connection, page, report, changed_since=changed_since, dry_run=dry_run)
            if report.rejected > max_rejected:
                raise TooManyRejected(report.rejected, max_rejected, report.problems[-1])
            current_job.progress(report.rows, total=total, message=f"page {number + 1}")
    return report


def _import_page(
    connection: sqlite3.Connection,
    page: Sequence[tuple[int, dict[str, str]]],
    report: SyncReport,
    *,
    changed_since: date | None,
    dry_run: bool,
) -> None:
    products: list[Product] = []
    for line, row in page:
        report.rows += 1
        try:
            product = Product.model_validate(row)
        except ValidationError as refused:
            _reject(report, line, refused)
            continue
        if changed_since is not None and product.updated_on < changed_since:
            report.skipped += 1
        else:
            products.append(product)
    inserted, updated = _upsert(connection, products, dry_run=dry_run)
    report.inserted += inserted
    report.updated += updated
    report.unchanged += len(products) - inserted - updated


def _reject(report: SyncReport, line: int, refused: ValidationError) -> None:
    report.rejected += 1
    first = refused.errors(include_url=False)[0]
    if len(report.problems) < SHOWN_PROBLEMS:
        field = ".".join(map(str, first["loc"]))
        report.problems.append(Problem(line=line, field=field, problem=f"{first['msg']}, got {first['input']!r:.60}"))


def _upsert(connection: sqlite3.Connection, products: Sequence[Product], *, dry_run: bool) -> tuple[int, int]:
    """Write one page in one transaction; return how many rows are new and how many changed."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        (rows_before,) = connection.execute("SELECT count(*) FROM products").fetchone()
        changes_before = connection.total_changes
        connection.executemany(_UPSERT, [_row(product) for product in products])
        (rows_after,) = connection.execute("SELECT count(*) FROM products").fetchone()
        inserted = rows_after - rows_before
        updated = connection.total_changes - changes_before - inserted
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("ROLLBACK" if dry_run else "COMMIT")
    return inserted, updated


_TABLE = """
CREATE TABLE IF NOT EXISTS products (
  sku TEXT PRIMARY KEY, name TEXT NOT NULL, category TEXT NOT NULL,
  price_cents INTEGER NOT NULL, stock INTEGER NOT NULL, updated_on TEXT NOT NULL
) WITHOUT ROWID
"""
# A row that says nothing new is not written, so that what an import changed can be counted.
_UPSERT = """
INSERT INTO products (sku, name, category, price_cents, stock, updated_on) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (sku) DO UPDATE SET
  name = excluded.name, category = excluded.category, price_cents = excluded.price_cents,
  stock = excluded.stock, updated_on = excluded.updated_on
WHERE (name, category, price_cents, stock, updated_on)
   IS NOT (excluded.name, excluded.category, excluded.price_cents, excluded.stock, excluded.updated_on)
"""


def _connect(database: Path) -> sqlite3.Connection:
    # Seconds to wait for another import's page; transactions are begun and ended by hand.
    connection = sqlite3.connect(database, timeout=30, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(_TABLE)
    except BaseException:
        connection.close()
        raise
    return connection


def _row(product: Product) -> tuple[str, str, str, int, int, str]:
    cents = int(product.price * 100)
    return (product.sku, product.name, product.category, cents, product.stock, product.updated_on.isoformat())


def _pages(file: Path, size: int) -> Iterator[list[tuple[int, dict[str, str]]]]:
    rows = _numbered_rows(file)
    while page := list(islice(rows, size)):
        yield page


def _numbered_rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row with the line of the file that it ends on."""
    with file.open(encoding="utf-8", newline="") as text:
        reader = csv.DictReader(text)
        for row in reader:
            yield reader.line_num, row
