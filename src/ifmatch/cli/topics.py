"""Find the topic that a word or a question means."""

from __future__ import annotations

import functools
import math
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ifmatch.model.catalogue import causes
from ifmatch.model.catalogue.snippets import snippets
from ifmatch.model.catalogue.topics import Topic, topics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifmatch.model.catalogue import Cause, FixTemplate
    from ifmatch.model.catalogue.snippets import Snippet

__all__ = ["all_topics", "answer", "find", "names"]

_WORD: Final = re.compile(r"\*|[a-z0-9]+(?:[-/.][a-z0-9]+)*")
_METHOD: Final = re.compile(r"\b(GET|HEAD)\b")
_STOP: Final = frozenset(
    [
        "a",
        "am",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "for",
        "from",
        "get",
        "gets",
        "getting",
        "give",
        "gives",
        "got",
        "had",
        "has",
        "have",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "just",
        "me",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "should",
        "so",
        "some",
        "that",
        "the",
        "their",
        "then",
        "there",
        "this",
        "to",
        "us",
        "was",
        "we",
        "what",
        "when",
        "where",
        "which",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
        "http",
        "error",
        "problem",
        "issue",
        "help",
        "please",
        "tell",
        "about",
        "explain",
        "mean",
        "means",
        "meaning",
    ]
)
_ENOUGH: Final = 2.0

# How people ask for a cause, where neither its title nor its definition has the words.
_ASKED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "etag-weakened": (
            "gzip",
            "gzip etag",
            "etag gzip",
            "gzip if-match",
            "compression",
            "brotli",
            "weak etag if-match",
            "becomes weak",
            "nginx gzip",
        ),
        "etag-suffix-rewrite": ("-gzip", "suffix", "etag suffix", "deflate", "mod_deflate"),
        "validator-stripped": ("strip etag", "strips etag", "etag missing", "missing etag", "etag removed"),
        "cors-hidden-etag": (
            "cors",
            "cors etag",
            "etag cors",
            "etag null",
            "read etag javascript",
            "expose headers",
            "etag not visible",
        ),
        "lost-response-replay": ("idempotency", "idempotency key", "timeout", "timed out", "after timeout"),
        "inconsistent-backends": ("different etag each node", "etag per node", "round robin"),
    }
)
_RECORDING: Final = frozenset(
    {"capture", "log", "logs", "logging", "record", "recording", "trace", "traffic", "wire"}
)
_DIALECT: Final = frozenset({"dialect", "dialects"})


def _cause_topic(cause: Cause) -> Topic:
    blocks = [
        *cause.prose.split("\n\n"),
        "## How it shows",
        cause.evidence,
        "## What to do",
        *(block for fix in cause.fixes for block in _fix_blocks(fix)),
        "## What a tool may do unasked",
        _repair_sentence(cause),
    ]
    return Topic(
        id=cause.id,
        kind="cause",
        title=cause.title,
        brief=" ".join(cause.definition.replace("`", "").split()),
        blocks=tuple(blocks),
        keywords=(
            cause.id.replace("-", " "),
            cause.title.lower(),
            *_ASKED.get(cause.id, ()),
            *re.findall(r"`([^`]+)`", cause.definition),
        ),
        see=tuple(name for name in cause.confused_with if name in causes()),
        rfc=cause.rfc,
    )


def _fix_blocks(fix: FixTemplate) -> list[str]:
    blocks = [f"- {fix.title} ({fix.difficulty.value}, {fix.who.value})"]
    if fix.command:
        blocks.append(f"    {fix.command}")
    if fix.verify:
        blocks += ["  Check that it took:", f"    {fix.verify}"]
    return blocks


def _repair_sentence(cause: Cause) -> str:
    rule = cause.repair
    words = {
        "allowed": "It may repair this",
        "ask": "It has to ask first",
        "forbidden": "Nothing: a repair could destroy data or hide the fault",
        "none": "There is nothing to repair",
    }
    sentence = words[rule.repair.value]
    if rule.requires:
        sentence += f", once this was observed: {', '.join(rule.requires)}"
        if rule.otherwise is not rule.repair:
            sentence += "; else it has to ask" if rule.otherwise.value == "ask" else "; else nothing"
    return f"{sentence}."


@functools.cache
def all_topics() -> Mapping[str, Topic]:
    """Return the written topics and a topic a cause, by id."""
    made = [_cause_topic(cause) for cause in causes().values()]
    made += [_code_topic(snippet) for snippet in snippets().values()]
    return {**topics(), **{topic.id: topic for topic in made}}


def _code_topic(snippet: Snippet) -> Topic:
    brief = (
        f"{snippet.title}: read, edit, write with the tag of that read; again when it was refused."
        if snippet.side == "client"
        else f"{snippet.title}."
    )
    code = "\n".join(f"    {line}" for line in snippet.code.strip("\n").split("\n"))
    prefix = "update" if snippet.side == "client" else "server"
    return Topic(
        f"{prefix}-{snippet.id}", "code", snippet.title, brief, (code,), see=("retry", "other-writer")
    )


@functools.cache
def _by_name() -> Mapping[str, Topic]:
    found: dict[str, Topic] = {}
    for topic in all_topics().values():
        for name in (topic.id, topic.title, *topic.aliases):
            found.setdefault(_normal(name), topic)
    return found


def names() -> list[str]:
    """Return every id and alias, for suggestions."""
    return [*all_topics(), *(alias for topic in all_topics().values() for alias in topic.aliases)]


def _normal(text: str) -> str:
    return " ".join(text.lower().strip(" ?!.:'\"`").split())


def find(words: Sequence[str]) -> tuple[Topic, ...]:
    """Return the topics that are meant, the best first; empty when nothing fits.

    Args:
        words: names of topics, or the words of one question.
    """
    if words and words[0].lower() in _DIALECT:
        return _dialects(words[1:])
    named = _by_name()
    whole = named.get(_normal(" ".join(words)))
    if whole is not None:
        return (whole,)
    single = [named.get(_normal(word)) for word in words]
    if single and all(topic is not None for topic in single):
        return tuple(dict.fromkeys(topic for topic in single if topic is not None))
    best = answer(" ".join(words))
    if not best:
        return _dialects(words) if len(words) == 1 else ()
    return (_family(" ".join(words)) if best[0].kind in {"capture", "status"} else ()) or best[:1]


def _family(question: str) -> tuple[Topic, ...]:
    """Return the one API family that a question names, empty when it asks how to record its traffic."""
    from ifmatch.cli.dialect_topics import find_dialects

    said = [_normal(word) for word in question.split()]
    if _RECORDING.intersection(said):
        return ()
    return tuple(topic for word in said for topic in find_dialects([word]) if topic.id == word)[:1]


def _dialects(words: Sequence[str]) -> tuple[Topic, ...]:
    from ifmatch.cli.dialect_topics import dialect_topics, find_dialects

    return find_dialects(words) if words else dialect_topics()


def answer(question: str) -> tuple[Topic, ...]:
    """Return the topics that answer a question, the best first; empty when none does.

    Each keyword of a topic that occurs counts by its rarity over all topics; a phrase counts more than
    its words.
    """
    said = _stems(question)
    if not said:
        return ()
    text = f" {' '.join(said)} "
    scores: dict[str, float] = {}
    for topic_id, phrases in _phrases().items():
        score = sum(weight for phrase, weight in phrases if f" {phrase} " in text)
        if score >= _ENOUGH:
            scores[topic_id] = score
    ranked = sorted(scores, key=lambda topic_id: -scores[topic_id])
    return tuple(all_topics()[topic_id] for topic_id in ranked)


def _stems(text: str) -> list[str]:
    # "I get" is everybody's verb, "a GET" is a method.
    marked = _METHOD.sub(r"\1-request", text)
    return [_stem(word) for word in _WORD.findall(marked.lower()) if word not in _STOP]


def _stem(word: str) -> str:
    for ending in ("ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


@functools.cache
def _phrases() -> Mapping[str, tuple[tuple[str, float], ...]]:
    by_topic: dict[str, set[str]] = {}
    for topic in all_topics().values():
        told = {" ".join(_stems(text)) for text in (topic.id, *topic.aliases, *topic.keywords)}
        by_topic[topic.id] = {phrase for phrase in told if phrase}
    count: dict[str, int] = {}
    for phrases in by_topic.values():
        for phrase in phrases:
            count[phrase] = count.get(phrase, 0) + 1
    total = len(by_topic)
    return {
        topic_id: tuple(
            (phrase, math.log(total / count[phrase]) * (1 + phrase.count(" ")) ** 0.5) for phrase in phrases
        )
        for topic_id, phrases in by_topic.items()
    }
