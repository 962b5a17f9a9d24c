"""The same service with versions: a write that does not know the current version is refused.

STAGE=report-only|honour|require|enforce uvicorn after:app
"""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel
from sqlalchemy import FetchedValue
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.orm.exc import StaleDataError

from ifmatch import Representation
from ifmatch.server import Policies, Policy, Settings, Shadow, Stage
from ifmatch.server.fastapi import Conditional, ConditionalRoute, Precondition, check_again, install

ATTEMPTS = 20
engine = create_async_engine(os.environ["DATABASE_URL"])
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """The tables."""


class Note(Base):
    """A note; the database makes a new version with each write."""

    __tablename__ = "note"
    number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    version: Mapped[uuid.UUID] = mapped_column(server_default=FetchedValue(), server_onupdate=FetchedValue())
    # UPDATE and DELETE say "WHERE version = ..."; when no row is hit, StaleDataError is raised.
    __mapper_args__ = {"version_id_col": version, "version_id_generator": False, "eager_defaults": True}  # noqa: RUF012


class NoteContent(BaseModel):
    """What clients read and write."""

    text: str


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Write the report of the roll-out at the end."""
    yield
    await engine.dispose()
    if "REPORT" in os.environ:
        shadow.save(os.environ["REPORT"])


async def session() -> AsyncIterator[AsyncSession]:
    """Give a session for the time of a request."""
    async with sessions() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session)]


def state_of(note: Note | None) -> Representation | None:
    """Return the validators of a note."""
    return None if note is None else Representation(etag=f'"{note.version}"')


async def note_of(number: int, session: Session) -> Note | None:
    """Read the note once. A second look at the session may read a newer one: it holds rows weakly."""
    return await session.get(Note, number)


Found = Annotated[Note | None, Depends(note_of)]


async def current(note: Found) -> Representation | None:
    """Say which version is the current one: that of the note which the endpoint works on."""
    return state_of(note)


checked = Precondition(current, media_types=["application/json"])
Checked = Annotated[Conditional, Depends(checked)]
router = APIRouter(route_class=ConditionalRoute)


@router.get("/notes/{number}")
async def read(number: int, note: Found, _: Checked) -> NoteContent:
    """Return a note; the ETag is added."""
    if note is None:
        raise HTTPException(404, f"there is no note {number}")
    return NoteContent(text=note.text)


@router.put("/notes/{number}")
async def write(
    number: int, content: NoteContent, request: Request, session: Session, note: Found, _: Checked
) -> NoteContent:
    """Replace or create a note, on exactly the version that the condition was compared with."""
    for _attempt in range(ATTEMPTS):
        if note is None:
            session.add(Note(number=number, text=content.text))
        else:
            note.text = content.text
        try:
            await session.commit()
        except (StaleDataError, IntegrityError):
            # Somebody was faster: compare again, with what is there now. A false condition leaves as 412.
            await session.rollback()
            session.expunge_all()
            note = await session.get(Note, number)
            await check_again(request, state_of(note))
        else:
            return content
    raise HTTPException(503, headers={"Retry-After": "1"})


shadow = Shadow()
settings = Settings(
    policies=Policies(default=Policy(stage=Stage(os.environ.get("STAGE", "enforce")))), shadow=shadow
)
app = FastAPI(lifespan=lifespan)
app.include_router(router)
install(app, settings=settings)
