"""A service as many are: notes in PostgreSQL, no versions. The last writer wins, unseen.

DATABASE_URL=postgresql+psycopg://user@host/database uvicorn before:app
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["DATABASE_URL"])
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """The tables."""


class Note(Base):
    """A note."""

    __tablename__ = "note"
    number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class NoteContent(BaseModel):
    """What clients read and write."""

    text: str


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Make the table at the start."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


async def session() -> AsyncIterator[AsyncSession]:
    """Give a session for the time of a request."""
    async with sessions() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session)]
app = FastAPI(lifespan=lifespan)


@app.get("/notes/{number}")
async def read(number: int, session: Session) -> NoteContent:
    """Return a note."""
    note = await session.get(Note, number)
    if note is None:
        raise HTTPException(404)
    return NoteContent(text=note.text)


@app.put("/notes/{number}")
async def write(number: int, content: NoteContent, session: Session) -> NoteContent:
    """Replace or create a note."""
    await session.merge(Note(number=number, text=content.text))
    await session.commit()
    return content
