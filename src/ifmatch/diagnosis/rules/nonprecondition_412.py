"""Detect `nonprecondition-412`: 412 is used for something that is no precondition."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifmatch.diagnosis.aftermath.freezes import frozen, thawed
from ifmatch.diagnosis.facts.undone_reasons import left_in_success
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading.contents import same_content, scalars, shares_members
from ifmatch.diagnosis.reading.version_words import CARRIES, called_version
from ifmatch.diagnosis.reads.parts import replaced
from ifmatch.diagnosis.rules.payload_precondition_mismatch import expectations, tests
from ifmatch.diagnosis.steps.resources import path_of
from ifmatch.dialects import Meaning
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.links.damages import Damage
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "nonprecondition-412"
# So many steps back a list may have shown what is changed.
_NEAR = 60

_VENDOR = Words(
    r"captcha|forbidden by|\bwaf\b|firewall|\bbots?\b|anti-?bot|challenge|incident id|ray id|access denied"
    r"|\bblocked\b|mod_security|modsecurity|reference #|security (?:policy|rule|check)|suspicious"
    r"|unusual traffic|rate limit|automated (?:access|requests)|are you (?:a )?human|verify you"
)
# Pages of filters name the case to ask about; services may say as much of a version.
_REJECTED = Words(
    r"(?:request|page|url|submission|upload|content)(?: was| has been)?"
    r" (?:rejected|blocked|denied|refused|stopped)"
    r"|(?:incident|support|attack|violation|block)[ _-]?(?:id|no|number|ref(?:erence)?|code)?\b\W{0,3}"
    r"(?:is\W{1,3})?(?=[\w-]*\d)[\w-]{4,}|consult (?:with )?your administrator|malicious|\bsecurity\b"
)
_OURS = Words(
    r"if-(?:un)?(?:none-)?m|etag|\bversion|condition (?:was|is) not met|precondition (?:header|required)"
    r"|\block(?:ed)?\b|(?<!p)lease|already exists|file_exists|revision|modified|changed since|generation"
    r"|changed|edited|stale|conflict|concurrent|out of date|meanwhile|in the meantime|by (?:someone|somebody)"
    r"|already (?:taken|there|present|registered|used)|duplicate|(?:does|do|did) not exist|no longer|deleted"
    r"|removed|lapsed|several|ambiguous|expected|mismatch|differs?\b|identical|not (?:match|equal)|older"
    r"|newer|fingerprint|multiple|more than one|deletions|additions|\bpre-?conditions?\b|evaluated to false"
)
_PLAIN = late_pattern(r"pre-?condition[ _]?failed|412", re.IGNORECASE)
# A sentence, not a status line or an error page of the framework.
# Fields that are another one in each request.
_ANEW = late_pattern(
    r"request-?id|trace|span|correlation|date|time|nonce|signature|content-length|idempotency|attempt|retry"
    r"|cookie|digest|age|cache",
    re.IGNORECASE,
)
_WORDY = late_pattern(r"[a-z]{2,}(?:[ _-][a-z]{2,}){2,}", re.IGNORECASE)
# A word, or the code of one.
_WORDS = late_pattern(r"[a-z]{4,}", re.IGNORECASE)
# Words of English alone: an answer in another language may speak of versions without a known word.
_ENGLISH = late_pattern(
    r"\b(?:the|must|cannot|can't|may not|you|your|this|that|with|should|before|have|has|are|been|is not|and"
    r"|not found|already|needs?|above|below|without|violates?|constraint"
    r"|required|from|which|only|please|requires?|invalid|failed|disabled|allowed|pending)\b",
    re.IGNORECASE,
)
# What an answer about the state says, whatever else it speaks of.
_STATE = Words(
    r"if-(?:un)?(?:none-)?m|\be-?tag|\bversions?\b|revision|\bstale\b|pre-?condition|concurren|meanwhile"
    r"|in the meantime|by (?:someone|somebody|another)|out of date|since (?:you|it was|the)|conflict"
    r"|already exists|\block(?:ed)?\b|(?<!p)lease"
)
RULE = Words(
    r"\b(?:violates? (?:the |a |an )?(?:\w+ )?(?:constraint|policy|rule|limit)|must (?:not )?"
    r"(?:be|exceed|have|lie|contain|stay|end|start)|may not|exceeds?|exceeded|ceiling"
    r"|at (?:most|least)|maximum|minimum|quota|not (?:allowed|permitted)|needs? (?:an? )?approval"
    r"|insufficient|budget|threshold|business rule|rule [\w.]*\d"
    r"|(?:name|title|label|text|field|value|date|amount|address|reason) (?:is |was )?(?:missing|empty|blank"
    r"|required))\b"
)
_TOLD = frozenset(
    {Meaning.MISSING, Meaning.LOCK, Meaning.EXPIRED, Meaning.MULTIPLE, Meaning.PAYLOAD, Meaning.EXISTS}
)


def _of_family(step: Step) -> bool:
    return step.dialect is not None and not step.dialect.general


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a 412 that has nothing to do with a condition of the request."""
    yield from left_in_success(facts, CAUSE)
    step = facts.step
    if facts.damage is not None and facts.damage.coded:
        yield from _inside(facts, facts.damage)
        return
    if step.status != 412:
        return
    refusal = step.refusal
    if refusal is not None and refusal.meaning is Meaning.OTHER and step.dialect is not None:
        yield note(f"in {step.dialect.name} this answer is about something else: {refusal.words}", 6.0, step)
        return
    if (refusal is not None and refusal.meaning in _TOLD) or expectations(step) or tests(step):
        return
    text = _PLAIN.sub("", facts.error_text)
    named = refusal is not None and refusal.meaning is Meaning.MISMATCH and bool(refusal.words)
    if named and _of_family(step) and RULE.search(text) is None:
        # The family's own code names a condition: it stands where nothing here reads it.
        return
    if step.conditions:
        yield from _although_guarded(facts, text)
        return
    if any(
        hop.request.fields.text(name)
        for hop in step.hops
        for name in ("if-match", "if-none-match", "if-unmodified-since")
    ):
        return
    # Else the fields are not in the evidence: an access log, an error line.
    shown = step.sent.get("if-match") is None or any(
        hop.request.fields.get("if-match") is None for hop in step.hops
    )
    if shown and step.exchange.request.content is UNKNOWN and step.is_write:
        yield note("no field or parameter is a precondition; the content is not in the evidence", 1.8, step)
    elif shown:
        yield note("the request carries no precondition of any kind", 3.0, step)
    if _VENDOR.search(text) or _page_of_filter(facts, text):
        yield note("the answer reads like a firewall's or a bot filter's", 3.0, step)
    elif shown and frozen(text):
        yield note("the answer says that changes are stopped for a while, whoever asks for them", 3.0, step)
    elif facts.html_answer:
        yield note("the answer is an HTML page", 1.0, step, "Content-Type")
    if shown and step.is_write and (taken := thawed(facts)) is not None:
        yield note("the very same request passed after the time that the answer tells", 1.5, taken)
    if shown and text.strip() and not _OURS.search(text) and spoken(text):
        yield note("the answer does not speak of versions or conditions", 1.5, step)
    if shown and step.is_read and step.sent.text("range") is None and replaced(facts) is None:
        yield note("a plain read is refused: nothing of its target was to be compared", 1.0, step)
    if shown and step.is_write:
        yield from _what_followed(facts)


def _page_of_filter(facts: Facts, text: str) -> bool:
    """Tell whether a page speaks as filters do, where the service answers in another form than pages."""
    if not facts.html_answer or _OURS.search(text) or not _REJECTED.search(text):
        return False
    around = (one.content for one in (*facts.earlier, *facts.later))
    return any(content is not None and content.text.lstrip()[:1] != "<" for content in around)


def _inside(facts: Facts, damage: Damage) -> Iterator[Evidence]:
    """Yield evidence from a code 412 in the content of a success."""
    yield note(damage.text, 4.5, facts.step)
    again = "the very same request passed later"
    yield note(again if damage.proven else "the like is answered with another code", 2.0, damage.lost)
    if _VENDOR.search(facts.error_text):
        yield note("the answer reads like a firewall's or a bot filter's", 1.0, facts.step)


def spoken(text: str) -> bool:
    """Tell whether an answer says something in words that are known: of English, or of a rule.

    Args:
        text: of the answer.
    """
    return _ENGLISH.search(text) is not None or RULE.search(text) is not None


def _what_followed(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from the same call later, and from what tells of quite another reason for the 412.

    Words alone are little where their language is not known: a 412 without a condition in any known place
    may stand for a search that found several, for a thing that is gone, or for a send that was carried out.
    """
    step = facts.step
    again = [one for one in facts.own(facts.later) if one.accepted and one.method == step.method]
    if again and again[0].body is not None and step.body is not None:
        between = facts.own(facts.case.steps[step.order + 1 : again[0].order])
        cleared = any(one.accepted and one.resource != step.resource for one in between)
        if same_content(again[0].body, step.body) and cleared:
            yield note("the very same request passed once something else was done", 1.5, again[0])
        elif same_content(again[0].body, step.body) and (field := _field_added(step, again[0])):
            yield note(
                f"the very same request passed with {field}, which is no condition", 2.0, again[0], field
            )
        elif not same_content(again[0].body, step.body) and not _copies_more(facts, again[0]):
            yield note("the same call passed with another content", 0.8, again[0])
    if any(
        one.unanswered and one.method == step.method for one in facts.own(facts.earlier) if _same(one, step)
    ):
        yield note("the very same request had been sent before, and no answer came", -4.0, step)
    looked = next((one for one in facts.own(facts.later) if one.is_read), None)
    if looked is not None and looked.finds_nothing and _was_there(facts):
        yield note("the next look finds nothing there", -3.0, looked)


def _field_added(refused: Step, passed: Step) -> str:
    """Return the field that what passed has and what was refused has not, "" where there is none, or several.

    Fields that each request has anew tell nothing, and what carries versions may be compared.
    """
    if passed.conditions or passed.resource != refused.resource:
        return ""
    mine = {name.lower(): value for name, value in refused.sent}
    theirs = {name.lower(): value for name, value in passed.sent}
    apart = [name for name, value in theirs.items() if mine.get(name) != value and not _ANEW.search(name)]
    if len(apart) != 1 or any(name not in theirs and not _ANEW.search(name) for name in mine):
        return ""
    return "" if CARRIES.search(apart[0]) or called_version(apart[0]) else apart[0]


def _was_there(facts: Facts) -> bool:
    """Tell whether an answer had shown the target, or a list with its name."""
    if any(one.read_ok or one.accepted for one in facts.earlier):
        return True
    name = path_of(facts.step.resource.partition("?")[0]).rstrip("/").rpartition("/")[2]
    named = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    before = facts.own(facts.case.steps[max(0, facts.step.order - _NEAR) : facts.step.order])
    return any(one.read_ok and named.search(one.view.text) for one in before)


def _same(one: Step, two: Step) -> bool:
    return one.body is two.body is None or same_content(one.body, two.body)


def _copies_more(facts: Facts, passed: Step) -> bool:
    """Tell whether what passed holds more of what reads show than the refused one: it may be compared."""
    shown = [set(scalars(one.view.json)) for one in facts.own(facts.case.steps) if one.read_ok]
    mine, theirs = (set(scalars(one.view.sent_json)) for one in (facts.step, passed))
    return any(len(theirs & one) > len(mine & one) for one in shown)


def _passed_with_another(facts: Facts) -> Step | None:
    """Return the next accepted write on the refused token if it carries another content."""
    passed, refused = facts.passed_later, facts.step.body
    if passed is None or passed.body is None or refused is None or passed.method != facts.step.method:
        return None
    return None if same_content(passed.body, refused) else passed


def _although_guarded(facts: Facts, text: str) -> Iterator[Evidence]:
    """Yield evidence that a filter answered, whatever the condition said."""
    step = facts.step
    told = step.refusal is not None and step.refusal.meaning is Meaning.MISMATCH and step.refusal.words
    if (
        told
        or tests(step)
        or any(shares_members(step.content, one.representation) for one in facts.own(facts.earlier))
    ):
        # A family may answer a false condition with what is stored.
        return
    if (passed := _passed_with_another(facts)) is not None and _WORDS.search(text):
        if not _STATE.search(text):
            words = "the answer speaks of something else, and the refused token is still current"
            yield note(words, 4.5, step)
            yield note("the same token passed with another content", 2.5, passed)
        return
    if _OURS.search(text) and not (frozen(text) and facts.token_again):
        return
    vendor = _VENDOR.search(text)
    if vendor is None:
        rule = RULE.search(text)
        if facts.token_again and _WORDY.search(text):
            text = "the answer speaks of something else, and the refused token is still current"
            yield note(text, 4.5, step)
        elif rule is not None and facts.state_moved is None and facts.issues and not facts.foreign_writes:
            yield note(f"the answer states a rule of its own (“{rule.group()}”)", 3.5, step)
        return
    yield note(f"the answer reads like a firewall's or a bot filter's ({vendor.group()})", 4.0, step)
    if facts.html_answer:
        yield note("the answer is an HTML page", 1.0, step, "Content-Type")
    if facts.token_again:
        yield note("the state did not move: a later read shows the refused token", 2.0, facts.refresh)
