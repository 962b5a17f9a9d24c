"""Tell by what is shown, not by words, that a write which a success answers was not carried out.

What is told of it names the version that was sent and a later one, or says of something that it is not so,
and the next look has all that was to be changed as it was before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.aftermath.codes_inside import fails_by_code
from ifmatch.diagnosis.aftermath.next_looks import Around
from ifmatch.diagnosis.aftermath.unlike_answers import forget, like_what_was_done, unlike_others
from ifmatch.diagnosis.links.versions_beside import has_naught, later_beside, named, tags_of, without_usual
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.pages import is_page
from ifmatch.diagnosis.reading.version_words import alike
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.diagnosis.steps.resources import by_service
from ifmatch.dialects.glossary import Words
from ifmatch.model.grouped import grouped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 4000
_DONE: Final = Words(
    r"(?i)[\"'](?:result|outcome|status|state)[\"']\s*:\s*[\"'](?:updated|created|saved|stored|written|changed"
    r"|modified|applied|committed|replaced)[\"']"
)


def take_outdated(steps: Sequence[Step]) -> None:
    """Set for each write that came to nothing over its version, although a success answers it, what shows so.

    Args:
        steps: of a case, in order of time, the reports on what was only taken in read already.
    """
    for service in by_service(steps):
        for place, step in enumerate(service):
            if not step.is_write or not _may_deny(step):
                continue
            shows = came_to_nothing(service, place, step.view.text)
            if shows is not None:
                step.seen.outdated = shows
                step.forget()
    forget()


def _may_deny(step: Step) -> bool:
    content = step.content
    if not 200 <= step.status < 300 or content is None or not 0 < len(content) <= _LONGEST:
        return False
    tag = step.header("etag")
    if tag is not None and tag not in (step.sent.text("if-match") or tag):
        # It gives out a version of its own making.
        return False
    return not is_page(content.text) and not _tells_the_next(step)


def _tells_the_next(step: Step) -> bool:
    """Tell whether an answer says what was done, and shows the next version by the name that was sent."""
    if _DONE.search(step.view.text) is None:
        return False
    held = [one for one in shown(step) if one.value.isdigit()]
    return any(
        tokens.steps_on(mine.value, one.value) == 1 and alike(mine.word, one.word)
        for mine in sent(step)
        if mine.value.isdigit() and mine.where in {"header", "query"}
        for one in held
    )


def came_to_nothing(
    service: Sequence[Step], place: int, said: str, report: Step | None = None
) -> Step | None:
    """Return what shows that a write came to nothing over another version that is told of, None without it.

    Args:
        service: steps of one service, in order of time.
        place: of the write among them.
        said: what is told of it, by its answer or by a later report.
        report: the look that tells it, which is none at the thing itself.
    """
    around = Around(service, place)
    write = around.write
    if has_naught(said):
        said = without_usual(said, write, around.looks)
    if report is None and like_what_was_done(service, place):
        return None
    unlike = report is None and unlike_others(service, place)
    pairs = [
        one
        for one in later_beside(write, said, denied=unlike)
        if report is not None or not around.only_repeats(one[1])
    ]
    if report is None and _coded(around, [one for one in pairs if named(said, one[0])]):
        return write
    moved = around.moved_on() if not pairs and (unlike or has_naught(said)) else None
    for old, new in [*pairs, *([moved] if moved is not None else [])]:
        look = around.next_look(report) if around.had(old) else None
        if look is None or not look.under(new):
            continue
        if look.as_before or (unlike and pairs and look.by_another(new)):
            return look.step
    return _tags_apart(around, said, report)


def _coded(around: Around, pairs: Sequence[tuple[str, str]]) -> bool:
    """Tell whether a code of failure in the answer says that it was not done, and both versions why.

    Args:
        around: the write.
        pairs: versions that were sent and are named in the answer, each with a later one.
    """
    near = (*around.before, around.write, *around.after) if pairs else ()
    # Where the answer is the record with what was changed, a number in it is no code.
    return any(fails_by_code(around.write, near, *one) for one in pairs) and not around.answered_as_sent


def _tags_apart(around: Around, said: str, report: Step | None) -> Step | None:
    """Return what shows that the thing bears another tag all along than the one sent, where both are told.

    That one was there before the write, or the next look has it with all that was to be changed as it was.
    """
    write = around.write
    tags = [one for one in tags_of(write) if named(said, one)]
    if len(tags) != 1:
        return None
    given = grouped(
        (tokens.opaque(one.etag), one)
        for one in (*around.before, *around.after)
        if one.etag is not None and one.resource == write.resource
    )
    mine = given.get(tags[0], [])
    for other, steps in given.items() if mine else ():
        if other in tags or not named(said, other):
            continue
        # What the write was made from is older than what stood there by then.
        if mine[0].order < steps[0].order < write.order:
            return steps[0]
        look = around.next_look(report)
        if look is not None and look.under(other) and (look.as_before or look.otherwise_as_before):
            return look.step
    return None


def outrun(service: Sequence[Step], place: int, report: Step) -> bool:
    """Tell whether the next look after a write shows a later version than it carries, and it undone.

    Args:
        service: steps of one service, in order of time.
        place: of the write among them.
        report: the look that tells what became of it.
    """
    around = Around(service, place)
    moved = around.moved_on()
    look = around.next_look(report) if moved is not None else None
    return moved is not None and look is not None and look.as_before and look.under(moved[1])
