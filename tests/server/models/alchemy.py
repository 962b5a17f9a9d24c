"""Models of SQLAlchemy for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from ifmatch.server.models.sqlalchemy import Rows, Versioned, keep_versions, xmin_column
from ifmatch.server.models.tags import digest_of
from ifmatch.server.stores.protocol import Content


class Base(DeclarativeBase):
    pass


class Xmins(DeclarativeBase):
    """Tables that only PostgreSQL can have."""


class Note(Versioned, Base):
    __tablename__ = "note"
    number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(default="")
    unique: Mapped[str | None] = mapped_column(unique=True, default=None)
    lines: Mapped[list[Line]] = relationship(cascade="all, delete-orphan")


class Line(Base):
    __tablename__ = "line"
    number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    note_number: Mapped[int] = mapped_column(ForeignKey("note.number"))


class Counter(Versioned, Base):
    """A number, in the table that Django's model has too."""

    __tablename__ = "counter"
    id: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]
    changed: Mapped[float] = mapped_column(default=0.0)


class Plain(Base):
    __tablename__ = "plain"
    id: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]
    changed: Mapped[float] = mapped_column(default=0.0)


class Tagged(Base):
    """A version of one's own: a UUID made by the program."""

    __tablename__ = "tagged"
    number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(default="")
    mark: Mapped[UUID] = mapped_column()
    __mapper_args__ = {"version_id_col": mark, "version_id_generator": lambda _: uuid4()}  # noqa: RUF012


class Counts(Base):
    """A version that counts, which is no strong tag."""

    __tablename__ = "counts"
    number: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class WithXmin(Xmins):
    __tablename__ = "plain"
    id: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]
    changed: Mapped[float] = mapped_column(default=0.0)
    xmin: Mapped[str] = xmin_column()
    __mapper_args__ = {  # noqa: RUF012
        "version_id_col": xmin,
        "version_id_generator": False,
        "eager_defaults": True,
    }


keep_versions(Note)
keep_versions(Counter)


def moment(row) -> datetime:
    return datetime.fromtimestamp(row.changed, UTC)


def content(row) -> Content:
    return Content(row.text.encode(), "text/plain")


NOTES = Rows(Note, content=content)
COUNTERS = {
    "version": Rows(Counter, modified=moment),
    "digest": Rows(Plain, tag=digest_of("n", "changed"), modified=moment),
    "xmin": Rows(WithXmin, modified=moment),
}
