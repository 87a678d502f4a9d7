"""Questions to show beside a document, each of which it answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from index.search.collection import Collection
from qa.answerer import ArticleAnswerer
from qa.normalize import normalize
from qa.questions import check_question
from qa.types import Answer, QuestionError

# So many candidates are put to the document at a time, in so many goes at most; the answers at least
# this sure are shown.
TRIED = 40
GOES = 3
SURE = 0.5
# So many names are asked for where that is not enough, and how sure the answers then have to be.
NAMES = 16
SURE_OF_NAMES = 0.6
# A question longer than this does not fit a button, and one of fewer words says too little.
MAX_LENGTH = 90
MIN_WORDS = 4

_NAME = re.compile(r"\b[A-Z][\w’'-]+(?:\s+(?:(?:of|the|de|van|von|al)\s+)?[A-Z][\w’'-]+)+(?<![’'])")
# "In May 1931, the bridge was opened": what stands before the subject.
_BEFORE = re.compile(
    r"""(?:According\sto|After|At|Before|By|Despite|During|Following|For|From|In|On|Since|Under|Until
        |With)\b[^,;:]{2,90},\s+(?=[A-Z]|an?\s|the\s)""",
    re.VERBOSE,
)
# A clause ends with a mark, but for those in numbers, or with a word that begins another.
_CLAUSE = re.compile(
    r"""(?:[^\n,;:.?!()\[\]“”"—–]|(?<=\d)[,.:](?=\d))*?(?=\s+(?:that|which|who|whom|whose|while|when|where
        |whereas|because|although|though|so|but|as|after|before|until|if|such|including
        |followed)\b|\s+[–—]
        |[\n;?!()\[\]“”"—–]|(?<!\d)[,:]|[,:](?!\d)|\.(?:\s|$)|$)""",
    re.VERBOSE,
)
# Where another clause may begin.
_MORE = re.compile(r"[^,;]{20};\s+|[^,;]{20},\s+(?:and|but)\s+")
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_TIME = re.compile(
    rf"""\b(?:in|on|since|until|around|by)\s+(?:the\s+)?(?:(?:early|late|mid|spring|summer|autumn|fall
        |winter)\s+(?:of\s+)?)*(?:(?:\d{{1,2}}(?:st|nd|rd|th)?\s+)?{_MONTH}\b
        (?:\s+\d{{1,2}}(?:st|nd|rd|th)?(?:\s+and\s+\d{{1,2}}(?:st|nd|rd|th)?)?\b)?(?:,?\s+\d{{4}})?
        |1\d{{3}}s?\b|20\d\ds?\b|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b)
        |\bat\s+(?:\d{{1,2}}[:.]\d\d|noon|midnight)\b""",
    re.VERBOSE,
)
_PERIOD = (
    "(?:time|hour|day|night|morning|evening|week|month|year|decade|century|season|spring|summer|autumn"
    "|winter)s?"
)
_PLACE = re.compile(
    rf"\b(?:in|at|near)\s+(?:(?:the\s+)?(?!\w*day\b|{_MONTH}\b)[A-Z][a-z]\w*(?:\s+[A-Z]\w+)*"
    rf"|the\s+(?!\w+\s+of\b|(?:\w+\s+)?(?:{_PERIOD}|case|course|end|form|process|way)\b)"
    rf"[a-z]\w+(?:\s+(?!(?:after|and|at|before|by|every|for|in|on|once|since|to|twice|until|with)\b)"
    rf"[a-z]\w+)?)"
)
# "a week", "the following year": how long or when, and not what.
_WHILE = re.compile(rf"(?:\w+\s+){{0,2}}{_PERIOD}\b")
_NUMBER = r"""(?:\d[\d.,]*(?:\s+(?:hundred|thousand|million|billion))?|two|three|four|five|six|seven
    |eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|twenty|thirty|forty|fifty
    |(?:a|one)\shundred)"""
_ABOUT = r"(?:(?:about|almost|around|at\s+least|more\s+than|nearly|over|some)\s+)?"
# "some 6,000 small rolls".
_COUNTED = re.compile(
    rf"""{_ABOUT}(?P<number>{_NUMBER})\s+(?P<what>(?:[a-z][\w-]+\s+)?(?:(?!\w+ss\b)[a-z][\w-]+s|people|men|women
        |children))\b""",
    re.VERBOSE | re.IGNORECASE,
)
_BY_HOW_MUCH = re.compile(
    rf"by\s+{_ABOUT}{_NUMBER}(?:\s+(?:percent|per\s+cent|[a-z]+s)\b|\s?%)?", re.VERBOSE
)
_THERE = re.compile(r"There\s+(?P<verb>is|are|was|were)\s+(?P<rest>.*)")
# "To open it, turn the key for a second": what one is told to do, what for, and how.
_UNIT = "(?:second|minute|hour|day|week|month|year)s?"
_SOME = rf"{_ABOUT}(?:{_NUMBER})(?:\s?(?:to|or|–|-)\s?(?:{_NUMBER}))?"
_BEGINNING = re.compile(
    r"""(?:(?:\d+[.)]|[•*–-])\s+)?(?:(?:First|Then|Next|Now|Finally|Afterwards),?\s+)?
        (?:To\s+(?P<end>[a-z][^,;:.]{4,50}),\s+)?""",
    re.VERBOSE,
)
_ORDER = re.compile(
    rf"""(?P<verb>[A-Za-z]+)(?:\s+(?P<what>(?:the|an?|your|all|both|each|{_NUMBER})\s.+?)
        (?P<how>\s+(?:after|as\s+soon|at|before|every|for|from|in|inside|into|on|once|onto|through|to
        |twice|under|until|when|with)\s.*)|\s.*)?""",
    re.VERBOSE,
)
_NEXT = re.compile(
    r"(?:[,;]|,?\s+and)\s+(?:and\s+)?(?:then\s+)?(?=[a-z]+\s+(?:the|an?|your|all|both|each|it|them)\s)"
)


def _forms(*forms: tuple[str, str]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Questions' first words, each with the form of what answers them."""
    return tuple((asked, re.compile(rf"\b(?:{form})", re.VERBOSE)) for asked, form in forms)


# Any clause is asked these, and an order the others too.
_HOW_LONG = _forms(
    ("How long", rf"for\s+{_SOME}\s+{_UNIT}|until\s.+"),
    (
        "How often",
        rf"(?:(?:once|twice|\w+\s+times)\s+(?:an?|per|every)\s+{_UNIT}"
        rf"|every\s+(?:{_SOME}\s+)?(?:{_UNIT}|{_PERIOD})\b)",
    ),
)
_HOW = _HOW_LONG + _forms(
    ("At what temperature", rf"(?:at|to)\s+{_SOME}\s?(?:°\s?[CF]?|degrees)(?:\s+[CF]\w*)?"),
    ("With what", r"with\s+(?!care\b).+?(?=\s+(?:for|until|at|in|into|on|every)\s|$)"),
    ("When", r"(?:before|after|when|as\s+soon\s+as)\s.+"),
    (
        "Where",
        rf"(?:in|inside|into|on|onto|under)\s+(?:the|an?|your)\s+(?!{_PERIOD}\b)"
        rf"[a-z]\w+(?:\s+[a-z]\w+){{0,3}}",
    ),
)
_MODAL = re.compile(r"(?:can|may|must|shall|should|will)$")
# "The fee is 20 euros", "The bridge is 300 metres long".
_AMOUNT = re.compile(
    rf"(?:[€$£]\s?\d[\d.,]*|{_SOME}\s?(?:euros?|dollars?|pounds?|francs?|percent|per\s+cent|%))",
    re.VERBOSE,
)
_MEASURE = re.compile(
    rf"{_SOME}\s+[a-z]+\s+(?P<how>deep|far|heavy|high|long|old|tall|thick|wide)\b", re.VERBOSE
)
_PARTICLE = re.compile(
    r"\w+\s+(?:away|down|off|on|out|up)(?=\s+(?:at|by|every|for|from|in|on|since|to|until)\b|$)"
)
_NOT_ORDERED = frozenset(["do", "have", "like", "please", "thank", "welcome"])
# "The owner, a former sailor, bought": what is said in passing between a subject and its verb.
_PASSING = re.compile(
    r"(?<=[\w’”\"]),\s+(?:an?|the|who|whose|which)\s[^,;:.()]{2,80},(?=\s+(?!and\b|or\b))"
)
# A word with a capital letter that does not begin its sentence.
_PROPER = re.compile(r"(?<=[a-z,]\s)[A-Z][\w’'-]+")
_COMMON = re.compile(r"(?<!\S)[a-z]+\b")
# A subject that is a name, and what cannot end a question, or a subject.
_NAMED = re.compile(r"(?!(?:The|An?)\b)[A-Z]\S*(?:\s+(?:[A-Z]\S*|of|the|and|de|van|von|al))*")
_LOOSE = re.compile(r"(?:\s+(?:and|or|also|from|both|a|an|the|to|of|only))+$")
_ENDLESS = re.compile(r"\s(?:and|or|a|an|the|of|to|by|in|on|at|for|with|from|not|also)$")
_THIS = re.compile(r"(?:this|that|these|those|it|them|him|her|so)\b")
_DOER = re.compile(r"\bby\s+(?:the\s+)?[A-Z]\w+(?:\s+[A-Z]\w+)*")
# "Zhang Tianliang, a professor of": a name and what it is, in passing.
_ASIDE = re.compile(
    r"\b(?P<subject>[A-Z][\w’'-]+(?:\s+[A-Z][\w’'-]+){1,3}),\s+"
    r"(?P<what>(?:an?|the)\s+[\w’'-]+(?:\s+[\w’'-]+){0,5})"
)
_KIND = re.compile(r"(?:an?|the|one)\s+\w")
# What something is, rather than what has the same name; and what may stand between a name and that.
_SORT = re.compile(r"(?:an?|the|one)\s+(?:[A-Z]\w+\s+)?[a-z]|part\s+of\b")
_COPULA = re.compile(
    r"\W*(?:(?:is|are|was|were|has\s+been|became)\b|[,(–—-])(?:\s*\w+)?\W*", re.IGNORECASE
)
_AUXILIARY = re.compile(
    r"(?:is|are|was|were|has|have|had|will|would|can|could|may|might|shall|should|must|do|does|did)$"
)
# What begins a sentence and is no subject, or nobody's name, or one only by what was said before.
_NO_SUBJECT = re.compile(
    r"""(?:he|she|it|they|we|i|you|this|that|these|those|there|his|her|its|their|our|my|your|what|who
        |when|where|why|how|although|though|while|since|after|before|as|if|in|on|at|by|for|from|with
        |under|during|until|despite|following|according|thus|however|also|but|and|so|or|nor|yet|here
        |then|later|\w+ly|another|other|others|one|some|many|most|each|both|all|only|several|no|not|such)\b""",
    re.VERBOSE | re.IGNORECASE,
)
# What follows a verb and is not what it is done to.
_NO_OBJECT = re.compile(
    r"(?:about|after|against|along|among|around|as|at|away|back|before|between|by|down|during|for|from|in"
    r"|into|of|off|on|only|onto|out|over|so|that|through|to|too|toward|towards|under|until|up|upon|very"
    r"|when|where|while|with|within|without|\w+ly|it|them|him|her|himself|herself|itself|themselves)\b"
)
# What follows a verb, where the word before may be a noun: "makes a", "uses of".
_FOLLOWS = re.compile(
    rf"(?:an?|the|its|his|their|our|no|by|about|almost|around|nearly|over|some|{_NUMBER})$|\d|[A-Z]",
    re.VERBOSE,
)
# Verbs of which "What did she …?" asks for nothing that is worth knowing.
_LIGHT = re.compile(
    r"""(?:add|agree|appear|argue|become|begin|believe|can|claim|come|continue|do|feel
        |find|get|give|go|have|hold|include|keep|know|lead|let|make|mean|note|put
        |report|require|say|see|seem|set|show|start|state|suggest|take|tell|think|try
        |turn|use|want|write)$""",
    re.VERBOSE,
)
_SPEECH = re.compile(r"(?:add|argue|believe|claim|note|report|say|state|suggest|tell|think)$")
_PERSON = re.compile(
    r"""\b(?:[a-z]\w*(?:ist|ian|eer|man|woman|ographer|ologist)|actor|actress|artist|author|chair|coach
        |captain|chancellor|composer|chief|critic|daughter|director|emperor|empress|expert|father|founder
        |general|governor|journalist|judge|king|lawyer|leader|mayor|member|minister|monk|mother|nurse
        |officer|painter|participant|player|poet|pope|president|priest|prince|princess|producer|professor
        |proponent|queen|researcher|scholar|secretary|senator|singer|soldier|son|spokesperson|student
        |teacher|winner|worker|writer)s?\b""",
    re.VERBOSE,
)


class _Words(NamedTuple):
    """The words of a document: those that are names, and those that are written small."""

    proper: Container[str] = ()
    common: Container[str] = ()


@dataclass(frozen=True, slots=True)
class _Made:
    """A question, the words that should answer it, and where their sentence stands."""

    question: str
    expected: str
    document: str
    start: int
    end: int

    def answered_by(self, answer: Answer) -> bool:
        """Whether the answer is sure, in the sentence, and half of what is expected or more."""
        at = answer.citation
        if at is None or answer.text is None or answer.confidence < SURE:
            return False
        here = at.document == self.document and at.start < self.end and self.start < at.end
        said, expected = (set(normalize(t).split()) for t in (answer.text, self.expected))
        return here and 2 * len(said & expected) >= min(len(said), len(expected)) > 0


def example_questions(
    answerer: ArticleAnswerer, n: int = 4, *, beside: Path | None = None
) -> list[str]:
    """At most n questions that the open documents do answer, the surest first where they are ours.

    They come from the file NAME.questions.txt `beside` a document's file, one a line, and without one
    they are made of the documents' sentences. Of those that are ours only the ones are shown whose
    answer is what they were made to ask for, and no two of one sentence.
    """
    if given := _given(beside) if beside else []:
        answers = answerer.ask_all([(question, ()) for question in given[:TRIED]])
        return [answer.question for answer in answers if not answer.abstained][:n]
    made = _made(answerer.collection)
    shown: dict[tuple[str, int], str] = {}
    for go in range(GOES):
        some = made[go * TRIED : (go + 1) * TRIED]
        answers = answerer.ask_all([(one.question, ()) for one in some])
        found = [pair for pair in zip(answers, some, strict=True) if pair[1].answered_by(pair[0])]
        for _, one in sorted(found, key=lambda pair: -pair[0].confidence):
            shown.setdefault((one.document, one.start), one.question)
        if len(shown) >= n:
            break
    if len(shown) < n:
        for answer in _of_names(answerer):
            at = answer.citation
            assert at is not None  # it is answered
            shown.setdefault((at.document, at.sentence_start), answer.question)
    return list(shown.values())[:n]


def _of_names(answerer: ArticleAnswerer) -> list[Answer]:
    """What the documents say who or what those are whom they name most often, the surest first.

    Unlike the other questions these are not made of a sentence that answers them, so the answer has to
    be surer, and to stand beside the name in words that say what that is.
    """
    text = " ".join(p.text for p in answerer.collection.passages if not p.furniture)
    names = Counter(
        re.sub(r"[’']s$", "", n) for n in [*_NAME.findall(text), *_PROPER.findall(text)]
    )
    often = [name for name, _ in names.most_common(NAMES) if not _NO_SUBJECT.match(name)]
    asked = [f"{who} is {name}?" for name in often for who in ("Who", "What")]
    answers = iter(answerer.ask_all([(question, ()) for question in asked]))
    found = []
    for name, who, what in zip(often, answers, answers, strict=True):
        answer = who if who.text and _PERSON.search(who.text) else what
        at = answer.citation
        if at is None or answer.text is None or answer.confidence < SURE_OF_NAMES:
            continue
        # "What is Anna Weber?" is not asked where she may be somebody.
        if answer is what and not _SORT.match(answer.text):
            continue
        said, named = (set(normalize(words).split()) for words in (answer.text, name))
        if said.isdisjoint(named) and _beside(answer.sentence(at), name, answer.text):
            found.append(answer)
    return sorted(found, key=lambda answer: -answer.confidence)


def _beside(sentence: str, name: str, words: str) -> bool:
    """Whether a sentence says words of a name: "NAME, words", "NAME is words" or "words NAME"."""
    first, _, after = sentence.partition(words)
    said = after.lstrip(" ,–—(").startswith(name)
    between = first.rpartition(name)[2]
    # ", the army of" is as likely another thing.
    passing = not words.startswith("the ") or between.strip() not in ",–—"
    return said or (name in first and passing and bool(_COPULA.fullmatch(between)))


def _given(source: Path) -> list[str]:
    path = source.with_suffix(".questions.txt")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    return [line.strip() for line in lines if _can_be_asked(line.strip())]


def _can_be_asked(question: str) -> bool:
    """Whether a line is a question that ask() accepts, neither empty nor too long."""
    try:
        check_question(question)
    except QuestionError:
        return False
    return True


def _made(collection: Collection) -> list[_Made]:
    """Questions made of the sentences, those on what is named most often first, a few of a sentence."""
    found: dict[str, _Made] = {}
    names: Counter[str] = Counter()
    passages = [passage for passage in collection.passages if not passage.furniture]
    known = _Words(
        {word for passage in passages for word in _PROPER.findall(passage.text)},
        {word for passage in passages for word in _COMMON.findall(passage.text)},
    )
    for passage in passages:
        for start, end in passage.sentences:
            text = passage.text[start - passage.start : end - passage.start]
            names.update(re.sub(r"[’']s$", "", name) for name in _NAME.findall(text))
            for question, expected in _questions(" ".join(text.split()), known):
                sayable = len(question.split()) >= MIN_WORDS and len(question) <= MAX_LENGTH
                if sayable and not _LOOSE.search(question[:-1]):
                    one = _Made(question, expected, passage.document_id, start, end)
                    found.setdefault(question, one)

    def weight(one: _Made) -> int:
        return max((count for name, count in names.items() if name in one.question), default=0)

    taken: Counter[tuple[str, int]] = Counter()
    kept = []
    for one in sorted(found.values(), key=lambda one: -weight(one)):
        taken[one.document, one.start] += 1
        if taken[one.document, one.start] <= 2:
            kept.append(one)
    return kept


def _questions(sentence: str, known: _Words) -> Iterator[tuple[str, str]]:
    """The questions that a sentence answers by its form, each with the words that answer it.

    `known` are the document's words.
    """
    for aside in _ASIDE.finditer(sentence):
        if not _NO_SUBJECT.match(aside["subject"]):
            who = "Who" if _PERSON.search(aside["what"]) else "What"
            yield f"{who} is {aside['subject']}?", aside["what"]
    yield from _of_orders(sentence, known)
    sentence = _PASSING.sub("", sentence, count=1)
    before = _BEFORE.match(sentence)
    start = before.end() if before else 0
    when = _TIME.search(before[0][:1].lower() + before[0][1:]) if before else None
    for begin in (start, *(more.end() for more in _MORE.finditer(sentence, start))):
        clause = _CLAUSE.match(sentence, begin)
        if (
            clause
            and (there := _THERE.match(clause[0]))
            and (some := _COUNTED.match(there["rest"]))
        ):
            rest = there["rest"][some.end() :]
            yield f"How many {some['what']} {there['verb']} there{rest}?", some[0]
        if clause and not _NO_SUBJECT.match(sentence, begin):
            yield from _asked(clause[0].split(), when[0] if when and begin == start else "", known)


def _of_orders(sentence: str, known: _Words) -> Iterator[tuple[str, str]]:
    """The questions of a sentence that tells what to do: how long, how often, where and the like."""
    beginning = _BEGINNING.match(sentence)
    assert beginning is not None  # all of it may be missing
    end = f" to {beginning['end']}" if beginning["end"] else ""
    for part in _NEXT.split(sentence[beginning.end() :].rstrip(".!")):
        order = _ORDER.fullmatch(part)
        verb = order["verb"][:1].lower() + order["verb"][1:] if order else ""
        # "Visitors bring a map" does not tell anybody to: only a verb's bare form does.
        if not _is_bare(verb) or verb in _NOT_ORDERED:
            return
        if order is None or not order["what"] or order["verb"] in known.proper:
            continue
        what, how = order["what"], order["how"].strip()
        if len(what.split()) <= 7:
            for asked, form in _HOW:
                if found := form.search(how):
                    yield f"{asked} do you {verb} {what}{end}?", found[0]
            yield f"What do you {verb} {how}{end}?", what


def _asked(words: list[str], when: str, known: _Words) -> Iterator[tuple[str, str]]:
    """The questions of one clause, "when" being the time said before it, if one was."""
    # Of each word what a question would need in its place, "" where it is no verb.
    verbs = [_auxiliary(word, after) for word, after in zip(words, [*words[1:], ""], strict=False)]
    at = next((i for i, auxiliary in enumerate(verbs) if i and auxiliary), 0)
    if not 0 < at <= 8:
        return
    ends = (i for i in range(at + 2, len(words) - 1) if words[i] == "and" and verbs[i + 1])
    words = words[: next(ends, len(words))]
    subject, verb, rest = " ".join(words[:at]), words[at], " ".join(words[at + 1 :])
    if some := _COUNTED.fullmatch(subject):
        yield f"How many {some['what']} {verb} {rest}?", some[0]
        return
    named = bool(_NAMED.fullmatch(subject)) and (at > 1 or subject in known.proper)
    if not (lowered := _inside(subject, named, known)):
        return
    if verb in ("is", "are", "was", "were"):
        yield from _of_being(lowered, verb, rest, when)
    elif _MODAL.match(verb):
        yield from _of_having_to(f"{verb} {lowered}", words[at + 1 :], when)
    # "The bridge built in 1931 was": a participle, and its clause has a verb still to come.
    elif rest and words[at + 1] != "to" and not any(map(_AUXILIARY.match, words[at:])):
        if _SPEECH.match(lemma := _lemma(verb)) or _THIS.match(rest):
            return
        if named and not subject.isupper():
            yield f"Who {verb} {rest}?", subject
        elif verbs[at] == "does" and not lowered.startswith("the "):
            yield f"What {verb} {rest}?", subject
        yield from _of_doing(f"{verbs[at]} {lowered} {lemma}", rest, when)


def _of_having_to(asked: str, words: list[str], when: str) -> Iterator[tuple[str, str]]:
    """The questions of a clause with "must", "can" and the like, of which "must the guests" is asked."""
    if words[:1] == ["be"] and _is_participle(done := words[1] if words[1:] else ""):
        yield from _of_its_time(f"{asked} be {done}", " ".join(words[2:]), when)
    elif words and words[0] not in ("be", "have") and _is_bare(words[0]):
        yield from _of_doing(f"{asked} {words[0]}", " ".join(words[1:]), when)


def _inside(subject: str, named: bool, known: _Words) -> str:
    """A subject as it is written inside of a question; "" where it is likely none."""
    lowered = re.sub(r"^(The|An?)\b", lambda article: article[0].lower(), subject)
    if not named and not re.match(r"(?:the|an?)\s", lowered):
        # "Chlorophyll" and "Hardware sales" begin a sentence, and are no names.
        lowered = subject[:1].lower() + subject[1:]
        common = " " in subject or lowered in known.common
        if not common or not re.fullmatch(r"[a-z]{2,}(?: [a-z-]+){0,2}", lowered):
            return ""
    return "" if _NO_OBJECT.match(lowered) or _ENDLESS.search(f" {subject}") else lowered


def _of_doing(asked: str, rest: str, when: str) -> Iterator[tuple[str, str]]:
    """The questions of a clause with another verb, as in "did the king build": when, where and what."""
    yield from _of_its_time(asked, rest, when)
    if not (
        _COUNTED.match(rest)
        or _NO_OBJECT.match(rest)
        or _WHILE.match(rest)
        or _LIGHT.match(asked.split()[-1])
    ):
        yield f"What {asked}?", rest


def _of_its_time(asked: str, rest: str, when: str) -> Iterator[tuple[str, str]]:
    """The questions of when, where, how long and how many."""
    if much := _BY_HOW_MUCH.match(rest):
        yield f"By how much {asked}?", much[0]
    elif rest.startswith("by "):  # "The system introduced by Linnaeus"
        return
    for kind, form in (("When", _TIME), ("Where", _PLACE), *_HOW_LONG):
        phrase = form.search(rest)
        to = rest[: phrase.start()] if phrase else ""
        if kind == "Where":
            to = " ".join(_TIME.sub("", to).split())
        if phrase and not _LOOSE.search(f" {to.rstrip()}"):
            yield f"{kind} {asked} {to}".rstrip() + "?", phrase[0]
    if when:
        yield f"When {asked} {rest}?", when
    if (some := _COUNTED.match(rest)) and not _WHILE.fullmatch(some["what"]):
        yield f"How many {some['what']} {asked}?", some[0]


def _of_being(subject: str, verb: str, rest: str, when: str) -> Iterator[tuple[str, str]]:
    """The questions of a clause with a form of "be": what someone is, or what was done."""
    if _KIND.match(rest):
        # "What is the city?" asks for nothing that was not said before.
        if any(map(str.isupper, subject)) or not re.match(r"(?:the|an?)\s", subject):
            who = "Who" if _PERSON.search(" ".join(rest.split()[:6])) else "What"
            yield f"{who} {verb} {subject}?", rest
        return
    if much := _AMOUNT.match(rest):
        yield f"How much {verb} {subject}?", much[0]
    if far := _MEASURE.match(rest):
        yield f"How {far['how']} {verb} {subject}?", far[0]
    done = rest.split()[0] if rest else ""
    if not _is_participle(done):
        return
    # "is turned on in October"
    on = _PARTICLE.match(rest)
    asked = f"{verb} {subject} {on[0] if on else done}"
    for kind, phrase in (
        ("When", _TIME.search(rest)),
        ("By whom", _DOER.search(rest)),
        ("Where", _PLACE.search(rest)),
    ):
        if phrase:
            yield f"{kind} {asked}?", phrase[0]
    if when:
        yield f"When {asked}?", when


def _is_bare(word: str) -> bool:
    """Whether it is a verb's bare form, as after "must"."""
    from lemminflect import getAllLemmas

    return word in getAllLemmas(word).get("VERB", ())


def _is_participle(word: str) -> bool:
    """Whether it is a verb's past participle, as after "was"."""
    from lemminflect import getInflection

    return word.islower() and word in getInflection(_lemma(word), "VBN")


def _lemma(verb: str) -> str:
    from lemminflect import getLemma

    lemma: str = getLemma(verb, "VERB")[0]
    return lemma


def _auxiliary(word: str, after: str) -> str:
    """What a question needs in the place of a verb, "did" or "does"; "" for what is likely no verb.

    A form of "be" and an auxiliary, which move themselves, have their own.
    """
    from lemminflect import getAllLemmas, getInflection

    if _AUXILIARY.match(word):
        return word
    kinds = getAllLemmas(word)
    if not word.islower() or "VERB" not in kinds:
        return ""
    if "NOUN" in kinds and not _FOLLOWS.match(after):
        return ""
    for form, auxiliary in (("VBD", "did"), ("VBZ", "does")):
        if any(word in getInflection(lemma, form) for lemma in kinds["VERB"]):
            return auxiliary
    return ""
