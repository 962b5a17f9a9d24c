"""Read from an answer whether it refuses, and whether over a version, in the words of many languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.altered_words import ALTERED, NOT_CURRENT
from ifmatch.diagnosis.reading.conditions import Guard, conditions_of
from ifmatch.diagnosis.reading.pages import fields_of, is_page
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.dialects import Meaning, Refusal
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.dialects import Dialect

# That something is older than what is there, or was changed by another meanwhile.
OUTDATED: Final = (
    r"(?:version|revision|\brev|edition|generation|e-?tag|edit|update|write|state)[ _-]?(?:conflict|mismatch)"
    r"|\b(?:lock|seq(?:uence)?|base|basis)(?:[ _-]?(?:no|number|version))?[ _-]?mismatch|optimistic"
    r"|concurren"
    r"|outdated|stale|out[ -]of[ -]date|(?:wrong|old|older|newer|another|different|other"
    r"|obsolete) (?:version|revision"
    r"|edition|state)|(?:newer|more recent|later) (?:changes?|edits?|updates?|entr(?:y|ies)|data|write)\b"
    r"|not match|(?:modified|changed|updated|edited|moved) (?:by|since|after)\b"
    r"|in the meantime|meanwhile"
    r"|(?:not|isn.t|wasn.t|longer) (?:the )?(?:current|latest|newest|one that is stored)"
    r"|(?:version|revision|e-?tag)\b[^.\"]{0,40}(?:not that of|differs? from|other than)"
    r"|failed[ _-]precondition|\"status\"\s*:\s*\"ABORTED\""
    r"|superseded|no longer (?:current|up to date)|lost[ _-]update|moved on|race[ _-]condition"
    rf"|{ALTERED}"
)
# What a precondition is called where it is asked for.
_NAMES: Final = r"if-match|e-?tag|versions?|revisions?|edition|generation|precondition|stamp"
WANTED: Final = (
    r"required|mandatory|missing|must|obligatory|needed|necessary|(?:not|wasn.t) (?:given|provided"
    r"|supplied|specified|sent)"
)
# That what was to be made is there.
EXISTS: Final = r"already[ _-]?(?:exists?|present|there|taken|in use)|exists already|duplicate"
DEMANDED: Final = Words(rf"(?:{_NAMES})\b[^.]{{0,60}}(?:{WANTED})|(?:{WANTED})\b[^.]{{0,40}}(?:{_NAMES})")
_SUCCESS: Final = (
    r"ok|okay|done|success|successful|succeeded|accepted|saved|stored|updated|applied|written|committed"
    r"|changed|kept|taken|taken_?(?:in|over)|recorded|persisted|adopted|carried_?out|executed"
)
# What counts what became of a write.
_COUNTS_DONE: Final = (
    r"(?:num(?:ber)?[_ ]?(?:of)?[_ ]?)?(?:rows|records|changes|writes)"
    r"[_ ]?(?:affected|changed|updated|matched|written)?"
    r"|affected(?:[_ ]?(?:rows|records))?|n[_ ]?modified"
    r"|(?:modified|updated|changed|matched|affected|written|saved)[_ ]?(?:count|rows|records)"
)
_FAULT: Final = (
    r"errors?|err|error_?(?:code|message|text|no)|faults?|exception|problems?|failures?"
    r"|refusal|rejection|reject"
)
_REFUSES: Final = (
    r"errors?|fail(?:ed|ure)?|fault|refuse[ds]?|refusal|reject(?:ed|s|ion)?|conflict|denied|stale|outdated|nok|ko"
    r"|declined|discarded|dropped|ignored|skipped|aborted|overruled|overtaken|superseded|void"
    r"|not[ _-]?(?:ok|saved|stored|accepted|applied|changed|kept|taken|done)"
)
# Of these, what is the case with a request only, not with a record.
_SAID_YES: Final = (
    r"refused|rejected|conflict(?:ed|s)?|denied|declined|discarded|aborted|overruled|overtaken|failed|skipped"
    r"|bounced|turned_?(?:down|away)|not_?(?:saved|stored|accepted|applied|changed|taken|done|written)"
)
# What was not done, where a sentence says so.
DONE: Final = (
    r"saved|stored|updated|applied|written|committed|changed|taken(?:[ _-]?(?:in|over|on))?|recorded"
    r"|persisted|adopted|carried[ _-]?(?:out|over)|executed|accepted|booked|posted|entered|performed"
    r"|registered|filed|modified|amended|replaced|overwritten|imported|transferred|merged|processed"
    r"|created|inserted|effected|implemented|honou?red|done|altered|edited|put through"
)
# Members that say how it went, and codes in them that speak of a version or of a fault by their very name.
_OUTCOME: Final = (
    r"status|state|result|outcome|verdict|disposition|reply|code|(?:err(?:or)?|result|return|status)_?code|rc|ret"
    r"|kind|type|__typename|why|reason|cause|because"
)
_CODES: Final = (
    r"E(?:RR(?:OR)?)?[_.-]\w+|\w*(?:stale|outdated|conflict|mismatch|superseded|overtaken|out_?of_?date)\w*"
)
# A version, and what is wrong with it, in one code: whatever the member is called that has it.
_VERSIONS_CODED: Final = (
    r"(?:row|doc|obj|rec)?[_.-]?(?:version|revision|rev|ver|vsn|e-?tag|seq(?:no)?|stamp|generation|gen|stand)"
)
_WRONG: Final = (
    r"(?:diff(?:ers?|erent)?|old|older|stale|behind|past|late|wrong|bad|outdated|mismatch|conflict|not[_.-]?current"
    r"|too[_.-]?(?:old|low|small)|no[_.-]?match|unequal|ne|lt)"
)
_CODED: Final = (
    rf"(?:[a-z]{{1,12}}[_.-])?(?:{_VERSIONS_CODED}[_.-]?{_WRONG}|{_WRONG}[_.-]?{_VERSIONS_CODED})"
    r"(?:[_.-][a-z]{1,12})?"
)
# What says in a content that the request was not carried out, whatever the status says.
NEGATIVE: Final = (
    rf"[\"'](?:{_SUCCESS})[\"']\s*:\s*(?:false|0\b|\"(?:false|no|n)\")"
    rf"|[\"'](?:{_COUNTS_DONE})[\"']\s*:\s*0\b"
    rf"|[\"'](?:{_FAULT})[\"']\s*:(?!\s*(?:null|\"\"|\[\s*\]|\{{\s*\}}|false|0\b|\"(?:none|ok|0)\"))"
    rf"|[\"'](?:status|state|result|outcome|verdict|disposition)[\"']\s*:\s*\"(?:{_REFUSES})(?![a-z])"
    rf"|[\"'](?:{_OUTCOME})[\"']\s*:\s*\"(?:{_CODES})\""
    # Or what was turned down, and why.
    rf"|[\"'][\w-]{{1,30}}[\"']\s*:\s*\"(?:{_CODED})\""
    rf"|[\"'](?:{_SAID_YES})[\"']\s*:\s*(?:true|1\b|\"(?:true|yes|y)\"|\{{\s*[\"'])"
    rf"|<(?:[\w.-]+:)?(?:{_FAULT})[\s>](?!\s*</)"
    rf"|\s(?:{_SUCCESS})=\"(?:false|no|0)\"|\s(?:status|result|outcome)=\"(?:{_REFUSES})\b"
    rf"|\s(?:{_OUTCOME})=\"(?:{_CODES})\""
    rf"|<(?:[\w.-]+:)?(?:{_SUCCESS})>\s*(?:false|no|0)\s*<"
    rf"|^[ \t]*(?:[-!][ \t]*)?(?:{_FAULT}|{_REFUSES})\b|^[ \t]*(?:{_SUCCESS})[ \t]*[:=][ \t]*(?:false|no|0"
    rf"|non)\b"
    r"|^[ \t]*(?:false|no|0)[ \t\r]*$"
    # What the outcome is called begins with a "not", whatever follows.
    r"|(?:[\"'<]|^[ \t]*)(?:result|outcome|verdict|disposition)(?:[\"']?[ \t]*[:=][ \t]*[\"']?|>\s*)"
    r"(?:not|non|no)[ _-]\w"
    rf"|[\"'](?:{_SUCCESS})[\"']\s*:\s*\"(?:not|non|no)[ _-]\w"
)
# A sentence, or the value of a member, that says what was not done; beside a success it is of something else.
NOT_DONE: Final = (
    rf"(?:^|[>\"'=:,;.!(-])[ \t]*(?:\w+[ \t]+){{0,3}}(?:not|non|no)[ _-](?:been[ _-]|yet[ _-])?(?:{DONE})\b"
)
_DONE_ALL: Final = (
    rf"[\"'](?:{_SUCCESS})[\"']\s*:\s*(?:true|1\b|\"(?:true|yes|y)\")"
    rf"|[\"'](?:status|state|result|outcome)[\"']\s*:\s*\"(?:{_SUCCESS})\""
)
CONDITION: Final = (
    r"conditional|pre-?conditions?|\bconditions?|\bif[-_ ](?:none[-_ ])?match|\bif[-_ ](?:un)?modified"
    r"|e-?tags?|versioning|version[ _-]?checks?|optimistic|concurrency|compare[ _-]and|guards?\b|guarded"
)
INCAPABLE: Final = (
    r"not (?:yet |currently |being |been )?(?:implemented|supported|available|possible|offered|enabled"
    r"|provided|understood|evaluated|recogni[sz]ed|allowed|usable)|unsupported|unavailable|unknown|unrecogni[sz]ed|disabled"
    r"|impossible|(?:cannot|can ?not|can.t|unable to) (?:be|do|check|evaluate|handle|honou?r|process|use)"
    r"|(?:does|do) not (?:support|know|do|offer|understand|implement)|NotImplemented|no support"
)
# That a service cannot do a condition, not that one is false.
_CANNOT: Final = Words(
    rf"(?i)(?:{CONDITION})[^.\"\n]{{0,60}}(?:{INCAPABLE})|(?:{INCAPABLE})[^.\"\n]{{0,40}}(?:{CONDITION})"
)
# What says so of a request as the one word, or the few words, that an outcome is told by.
_TURNED_DOWN: Final = Words(
    rf"(?i)(?:was |were |is |has been |have been )?(?:{_REFUSES}"
    r"|parked|set[ _-]?aside|shelved|side-?lined"
    r"|left[ _-]?(?:out|alone|behind|over|untouched|(?:un|not[ _-])changed"
    r"|as[ _-](?:is|it[ _-](?:is|was)|they[ _-](?:are|were)))"
    r"|left$|unchanged|untouched|unapplied|unsaved|held(?:[ _-]back|[ _-]up)?|on[ _-]hold|withheld"
    r"|passed[ _-]over|bypassed|omitted|obsolete|outrun|outpaced|too[ _-]late"
    r"|blocked|bounced|thrown[ _-](?:away|out)|turned[ _-](?:down|away|back)"
    r"|sent[ _-]back|put[ _-](?:aside|back)|quarantined|deferred"
    r"|collided|collisions?|conflicts|clash(?:ed|es)?|mismatch(?:ed|es)?|missed"
    r"|no[ _-]?(?:op|effect|change)|without[ _-]effect|in[ _-]vain|unsuccessful|undone|reverted"
    r"|rolled[ _-]back|inadmissible"
    r"|not[ _-]?(?:carried[ _-]?out|executed|performed|done"
    r"|taken[ _-]?(?:over|in|up|on)?|processed|merged|written|imported"
    r"|entered|booked|updated|effective|committed|persisted|recorded|adopted|possible|valid|current)"
    r")(?![a-z])"
)
THERE_ALREADY: Final = Words(EXISTS)
_COUNTS: Final = late_pattern(r"(?<![\w.-])\d{1,15}(?![\w-])")
_VERSIONS: Final = Words(rf"(?i)(?<![^\W_])(?:{_NAMES}|ver|vsn|rev|seq)(?![^\W_])")
_NEGATIVE: Final = Words(rf"(?im){NEGATIVE}")
# What says so by a flag or a count, which no state of a record is.
_FLATLY: Final = Words(
    rf"(?i)[\"'](?:{_SUCCESS})[\"']\s*:\s*(?:false|0)\b|[\"'](?:{_COUNTS_DONE})[\"']\s*:\s*0\b"
    rf"|[\"'](?:{_SAID_YES})[\"']\s*:\s*true\b"
)
_NOT_DONE: Final = Words(rf"(?im){NOT_DONE}")
_FLAG: Final = late_pattern(r"\"(\w+)\"\s*:\s*(?:false|0)\b")
# What is still to be done.
WAITING: Final = Words(
    r"\b(?:queued|enqueued|pending|scheduled|submitted|received|accepted|processing|in[ _-]?progress|waiting"
    r"|in[ _-]?queue|taken[ _-]?in)\b"
    # An operation that goes on: what a thing's own status says of it is something else.
    r"|operation[^{}]{0,400}\"status\"\s*:\s*\"running\""
    r"|operations?/[^\"]{1,200}\"[^\[\]]{0,400}\"done\"\s*:\s*false"
)
# What names a member of the thing, and its value beside it.
_COMMANDS: Final = late_pattern(
    r"\"(?:name|field|path|property|attribute|key)\"\s*:\s*\"[^\"]{1,60}\",\s*\"value\"\s*:"
)
_ALL_DONE: Final = Words(rf"(?i){_DONE_ALL}")
_OUTDATED: Final = Words(rf"(?i){OUTDATED}|\"(?:{_CODED})\"")
# What says so of a version and of nothing else: under a status that may mean any fault of a request.
OVER_VERSION: Final = Words(
    r"(?:version|revision|e-?tag|edit|update|write)[ _-]?(?:conflict|mismatch)|optimistic[ _-]?lock"
    r"|stale[ _-]?(?:version|revision|object|state|data|update)|(?:wrong|outdated|newer) (?:version|revision)"
    r"|(?:version|revision|e-?tag)\W{1,3}(?:\w+ ){0,4}(?:does not|doesn.t|did not) match"
    r"|(?:modified|changed|updated|edited) (?:by another|since|in the meantime|meanwhile|concurrently)"
    r"|concurrent[ _-]?(?:modification|update)|DbUpdateConcurrency|ConcurrencyException"
    rf"|{ALTERED}|{NOT_CURRENT}"
)
_ANY_FAULT: Final = frozenset({400, 422, 428, 500, 503})
_SUCCESSES: Final = frozenset({200, 202})
_MAY_ASK: Final = frozenset({200, 202, 400, 403, 409, 422})
_SHORT: Final = 600
_FIELD: Final = r"(?:if[-_ ]?match|if[-_ ]?unmodified[-_ ]?since|\be-?tag|pre-?condition(?:s| header)?)"
# That a field of HTTP for preconditions is wanted, in sentences and in codes: `if_match_required`.
_CONDITION_WANTED: Final = Words(
    rf"{_FIELD}[\W_]{{0,3}}(?:(?:header|field|value|is|was|are|be|has|to)[\W_]{{1,2}}){{0,4}}(?:required|mandatory"
    r"|missing|needed|necessary|obligatory|absent|expected|lacking|(?:not[\W_]|un)(?:sent|given|provided|present"
    r"|supplied|specified|set|found))"
    r"|(?:required|requires|missing|needs?|needed|lacks?|lacking|without|wants?|(?:must|please|should)[\W_](?:send"
    r"|have|carry|include|give|provide|specify|use|set)|no)[\W_]{0,3}(?:(?:an?|the|valid|strong|header|field|your"
    rf"|its|current|an?[\W_]valid)[\W_]{{1,2}}){{0,3}}{_FIELD}"
)
_CONFLICT: Final = 409
_FAILED: Final = 412
_NOT_MODIFIED: Final = 304
# Where services say why, beside the content.
_OWN_FIELD: Final = late_pattern(r"(?i)^x-|reason|error|conflict|warning|message|detail|status|problem")
_LONGEST: Final = 4000
# Outcomes are told in few words.
_SAID: Final = 60
# Fewer signs may stand in a request and in its answer by chance.
_TELLING: Final = 12
# What a page says over a form that it did not take; "last changed by Ann" stands on any page.
MEANWHILE: Final = (
    r"(?:modified|changed|updated|edited|saved|deleted) (?:by|in) (?:an ?other|another|some(?:one|body)"
    r"|a different|the meantime)|since you (?:opened|loaded|started|began)|meanwhile|in the meantime"
    r"|(?:version|edit|revision|update) conflict|out[ -]of[ -]date|stale (?:object|version|record)"
)
_MEANWHILE: Final = Words(MEANWHILE)
# What a page says that has no form any more.
_UNSAVED: Final = Words(
    r"nothing (?:was|has been) (?:saved|stored|changed)|(?:was|were|has|have) not (?:been )?(?:saved|stored)"
    r"|could not be (?:saved|stored)"
)


def denied_by_page(text: str) -> bool:
    """Tell whether a page says that a write was not carried out: it holds all that was sent in any case.

    Args:
        text: of the page.
    """
    # It gives the form again, and says why.
    again = bool(fields_of(text)) and _MEANWHILE.search(text) is not None
    return again or _UNSAVED.search(text) is not None


def names_commands(step: Step) -> bool:
    """Tell whether what seems to deny a write is a member that the request names and sets so.

    Args:
        step: the write.
    """
    found = _FLAG.search(step.view.text)
    if found is None or _COMMANDS.search(step.view.sent_text) is None:
        return False
    return _NOT_DONE.search(step.view.text) is None and f'"{found[1]}"' in step.view.sent_text


def says_undone(text: str) -> bool:
    """Tell whether what is told of a write says that it was not carried out.

    Args:
        text: what is told of it, and of nothing else.
    """
    if len(text) > _LONGEST:
        return False
    undone = _NOT_DONE.search(text) is not None and _ALL_DONE.search(text) is None
    return undone or _NEGATIVE.search(text) is not None


def says_cannot(step: Step) -> bool:
    """Tell whether a success that denies a write says that the service cannot do its condition.

    Args:
        step: the write.
    """
    return step.negative and cannot_do(step.view.text)


def cannot_do(text: str) -> bool:
    """Tell whether a text says that its service cannot do a condition.

    Args:
        text: of an answer.
    """
    return _CANNOT.search(text[:_LONGEST]) is not None


def says_done(text: str) -> bool:
    """Tell whether what is told of a write says that it was carried out.

    Args:
        text: what is told of it, and of nothing else.
    """
    return _ALL_DONE.search(text) is not None and not says_undone(text)


def says_waiting(text: str) -> bool:
    """Tell whether what is told of a write says that it is still to be carried out.

    Args:
        text: what is told of it.
    """
    return WAITING.search(text) is not None


def outdated(text: str) -> bool:
    """Tell whether what is told of a write says, in some language, that the state is another one.

    Args:
        text: what is told of it.
    """
    return _OUTDATED.search(text[:_LONGEST]) is not None


def turned_down(value: str) -> bool:
    """Tell whether a short value, or the name of a list, says that something was not carried out.

    Args:
        value: as a report has it.
    """
    said = value.strip().replace("_", " ")
    return 0 < len(said) <= _SAID and _TURNED_DOWN.match(said) is not None


def refuses(step: Step) -> bool:
    """Tell whether an answer fails a write, by its status or by its content.

    Args:
        step: the write.
    """
    return step.status in _ANY_FAULT | {_CONFLICT, _FAILED} or step.negative


def speaks_of(step: Step, word: str) -> bool:
    """Tell whether an answer's text has a word, or says that something does not fit.

    Args:
        step: whose answer is read.
        word: name of a member.
    """
    text = step.view.text[:_LONGEST]
    return word.casefold() in text.casefold() or says_outdated(step)


def repeats_but_one(step: Step) -> bool:
    """Tell whether an answer repeats what was sent, but for one member that counts the versions on.

    Args:
        step: the write.
    """
    there = {(member.word, member.value) for member in shown(step)}
    mine = [member for member in sent(step) if member.where in {"body", "text"}]
    words = {word for word, _ in there}
    other = [member for member in mine if (member.word, member.value) not in there]
    return len(mine) > 1 and len(other) == 1 and other[0].word in words


def meant(step: Step, dialect: Dialect, found: Refusal | None) -> Refusal | None:
    """Return the refusal that an answer is, by what its family knows or by its words.

    Args:
        step: a request.
        dialect: its family.
        found: what the family makes of the answer.
    """
    if found is None:
        plain = dialect.general and not (200 <= step.status < 300 and _told_in_words(step))
        return None if plain else _in_words(step, dialect)
    if found.meaning is Meaning.BUSY and not found.words and _told_in_words(step):
        # What the answer says counts for more than what its status mostly means there.
        return replace(found, meaning=Meaning.MISMATCH)
    stored = 200 <= step.status < 300 and not is_page(step.view.text) and repeats_but_one(step)
    return None if stored or _repeats(step, found) else found


def asks_for_condition(step: Step) -> bool:
    """Tell whether a write without a precondition failed with words that ask for the field of HTTP itself.

    Args:
        step: any step.

    Source: RFC 9110 section 13.1 (the fields); RFC 6585 section 3 (what asks for them, under 428).
    """
    if not step.is_write or step.status not in _MAY_ASK or not 0 < len(step.view.text) <= _SHORT:
        return False
    if _CONDITION_WANTED.search(step.view.text) is None or step.conditions:
        return False
    return step.status not in _SUCCESSES or says_undone(step.view.text)


def _repeats(step: Step, refusal: Refusal) -> bool:
    """Tell whether a success says no more than the request did: a record may have a member called error."""
    said = 200 <= step.status < 300 and len(refusal.words) >= _TELLING
    return said and refusal.words in step.view.sent_text


def says_outdated(step: Step) -> bool:
    """Tell whether an answer says, in some language, that the state is another one.

    Args:
        step: whose answer is read.
    """
    return step.seen.outdated is not None or _OUTDATED.search(_said(step)) is not None


def _said(step: Step) -> str:
    """Return what an answer says: its content, of one without any the fields of the service's own."""
    text = step.view.text[:_LONGEST]
    if text or step.received is None:
        return text
    own = [(name, value) for name, value in step.received if _OWN_FIELD.search(name)]
    return "\n".join(f"{name}: {value}" for name, value in own)[:_LONGEST]


def _in_words(step: Step, dialect: Dialect) -> Refusal | None:
    """Return the refusal that an answer is by its words, where the family knows none such.

    Not every service of a family, nor what stands before one, refuses in the family's own words.

    Args:
        step: a request under a precondition.
        dialect: its family.
    """
    if not step.is_write or not (_told_in_words(step) or step.negative):
        return None
    conditions = conditions_of(step.exchange.request, dialect, step.view)
    kept = [one for one in conditions if one.guard in {Guard.SAME, Guard.SAME_DATE}]
    if not kept or not (_told_in_words(step) or any(_names_version(step, one.value) for one in kept)):
        return None
    return Refusal(Meaning.MISMATCH, step.status, "", dialect.retry, None)


def _names_version(step: Step, value: str) -> bool:
    """Tell whether an answer speaks of the version that was sent as of none, or beside a later one."""
    text = step.view.text[:_LONGEST]
    spoken = re.search(rf"(?<![\w.-]){re.escape(value)}(?![\w-])", text) if value and value in text else None
    if (
        spoken is None
        and _FLATLY.search(text) is not None
        and any(
            one.where == "body" and _VERSIONS.search(one.word) and tokens.counted_on(value, one.value)
            for one in shown(step)
        )
    ):
        # What was not done, and shows a later version, was told why.
        return True
    if spoken is None or _VERSIONS.search(text) is None:
        return False
    # "Nothing was changed: still version 14" refuses nothing.
    return tokens.null_word(value) or any(tokens.counted_on(value, one) for one in _COUNTS.findall(text))


def _told_in_words(step: Step) -> bool:
    """Tell whether the words of an answer refuse over a version, under whatever status."""
    if 200 <= step.status < 300:
        return step.denial is not None and (says_outdated(step) or step.denial.code != "")
    if step.status == _CONFLICT:
        return says_outdated(step)
    if step.status not in _ANY_FAULT and not unmodified(step):
        return False
    return OVER_VERSION.search(_said(step)) is not None


def unmodified(step: Step) -> bool:
    """Tell whether a write is told of another version in an answer that only reads get, "not modified".

    Args:
        step: any step.

    Source: RFC 9110 section 15.4.5.
    """
    return step.is_write and step.status == _NOT_MODIFIED and OVER_VERSION.search(_said(step)) is not None
