"""Suggest questions that a document answers."""

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

# Candidate questions are asked in batches until enough are answered with this confidence.
BATCH_SIZE = 40
MAX_BATCHES = 3
MIN_CONFIDENCE = 0.5
# Longer questions, in characters, do not fit a button; shorter ones, in words, say too little.
MAX_LENGTH = 90
MIN_WORDS = 4

_NAME = re.compile(r"\b[A-Z][\w’'-]+(?:\s+(?:(?:of|the|de|van|von|al)\s+)?[A-Z][\w’'-]+)+(?<![’'])")
# "In May 1931, " of "In May 1931, the bridge was opened".
_BEFORE = re.compile(
    r"""(?:According\sto|After|At|Before|By|Despite|During|Following|For|From|In|On|Since|Under|Until
        |With)\b[^,;:]{2,90},\s+(?=[A-Z]|an?\s|the\s)""",
    re.VERBOSE,
)
# A clause ends at a punctuation mark, except within a number, or before a word that begins another.
_CLAUSE = re.compile(
    r"""(?:[^\n,;:.?!()\[\]“”"—–]|(?<=\d)[,.:](?=\d))*?(?=\s+(?:that|which|who|whom|whose|while|when|where
        |whereas|because|although|though|so|but|as|after|before|until|if|such|including
        |followed)\b|\s+[–—]
        |[\n;?!()\[\]“”"—–]|(?<!\d)[,:]|[,:](?!\d)|\.(?:\s|$)|$)""",
    re.VERBOSE,
)
# Another clause may begin here.
_NEXT_CLAUSE = re.compile(r"[^,;]{20};\s+|[^,;]{20},\s+(?:and|but)\s+")
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
# "a week", "the following year": an adverbial of time, not an object.
_TIME_SPAN = re.compile(rf"(?:\w+\s+){{0,2}}{_PERIOD}\b")
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
# "To open it, turn the key for a second": an instruction with its purpose and manner.
_UNIT = "(?:second|minute|hour|day|week|month|year)s?"
_QUANTITY = rf"{_ABOUT}(?:{_NUMBER})(?:\s?(?:to|or|–|-)\s?(?:{_NUMBER}))?"
_INSTRUCTION_START = re.compile(
    r"""(?:(?:\d+[.)]|[•*–-])\s+)?(?:(?:First|Then|Next|Now|Finally|Afterwards),?\s+)?
        (?:To\s+(?P<purpose>[a-z][^,;:.]{4,50}),\s+)?""",
    re.VERBOSE,
)
_INSTRUCTION = re.compile(
    rf"""(?P<verb>[A-Za-z]+)(?:\s+(?P<what>(?:the|an?|your|all|both|each|{_NUMBER})\s.+?)
        (?P<how>\s+(?:after|as\s+soon|at|before|every|for|from|in|inside|into|on|once|onto|through|to
        |twice|under|until|when|with)\s.*)|\s.*)?""",
    re.VERBOSE,
)
_NEXT_INSTRUCTION = re.compile(
    r"(?:[,;]|,?\s+and)\s+(?:and\s+)?(?:then\s+)?(?=[a-z]+\s+(?:the|an?|your|all|both|each|it|them)\s)"
)


def _compiled(*patterns: tuple[str, str]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The first words of questions, each with the compiled pattern of its answers."""
    return tuple((words, re.compile(rf"\b(?:{p})", re.VERBOSE)) for words, p in patterns)


# Asked of any clause; _HOW is asked of instructions.
_HOW_LONG = _compiled(
    ("How long", rf"for\s+{_QUANTITY}\s+{_UNIT}|until\s.+"),
    (
        "How often",
        rf"(?:(?:once|twice|\w+\s+times)\s+(?:an?|per|every)\s+{_UNIT}"
        rf"|every\s+(?:{_QUANTITY}\s+)?(?:{_UNIT}|{_PERIOD})\b)",
    ),
)
_HOW = _HOW_LONG + _compiled(
    ("At what temperature", rf"(?:at|to)\s+{_QUANTITY}\s?(?:°\s?[CF]?|degrees)(?:\s+[CF]\w*)?"),
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
    rf"(?:[€$£]\s?\d[\d.,]*|{_QUANTITY}\s?(?:euros?|dollars?|pounds?|francs?|percent|per\s+cent|%))",
    re.VERBOSE,
)
_MEASURE = re.compile(
    rf"{_QUANTITY}\s+[a-z]+\s+(?P<how>deep|far|heavy|high|long|old|tall|thick|wide)\b", re.VERBOSE
)
_PARTICLE = re.compile(
    r"\w+\s+(?:away|down|off|on|out|up)(?=\s+(?:at|by|every|for|from|in|on|since|to|until)\b|$)"
)
_NO_INSTRUCTION = frozenset(["do", "have", "like", "please", "thank", "welcome"])
# ", a former sailor," of "The owner, a former sailor, bought": an apposition after a subject.
_APPOSITION = re.compile(
    r"(?<=[\w’”\"]),\s+(?:an?|the|who|whose|which)\s[^,;:.()]{2,80},(?=\s+(?!and\b|or\b))"
)
# A capitalized word that does not begin its sentence.
_PROPER = re.compile(r"(?<=[a-z,]\s)[A-Z][\w’'-]+")
_COMMON = re.compile(r"(?<!\S)[a-z]+\b")
# A subject that is a name; words that cannot end a question; words that cannot end a subject.
_NAMED = re.compile(r"(?!(?:The|An?)\b)[A-Z]\S*(?:\s+(?:[A-Z]\S*|of|the|and|de|van|von|al))*")
_INCOMPLETE = re.compile(r"(?:\s+(?:and|or|also|from|both|a|an|the|to|of|only))+$")
_INCOMPLETE_SUBJECT = re.compile(r"\s(?:and|or|a|an|the|of|to|by|in|on|at|for|with|from|not|also)$")
_THIS = re.compile(r"(?:this|that|these|those|it|them|him|her|so)\b")
_DOER = re.compile(r"\bby\s+(?:the\s+)?[A-Z]\w+(?:\s+[A-Z]\w+)*")
# "Zhang Tianliang, a professor of": a name with an apposition that describes it.
_DESCRIBED_NAME = re.compile(
    r"\b(?P<subject>[A-Z][\w’'-]+(?:\s+[A-Z][\w’'-]+){1,3}),\s+"
    r"(?P<what>(?:an?|the)\s+[\w’'-]+(?:\s+[\w’'-]+){0,5})"
)
_KIND = re.compile(r"(?:an?|the|one)\s+\w")
_AUXILIARY = re.compile(
    r"(?:is|are|was|were|has|have|had|will|would|can|could|may|might|shall|should|must|do|does|did)$"
)
# The beginning of a sentence that is no subject, or one that depends on earlier sentences.
_NO_SUBJECT = re.compile(
    r"""(?:he|she|it|they|we|i|you|this|that|these|those|there|his|her|its|their|our|my|your|what|who
        |when|where|why|how|although|though|while|since|after|before|as|if|in|on|at|by|for|from|with
        |under|during|until|despite|following|according|thus|however|also|but|and|so|or|nor|yet|here
        |then|later|\w+ly|another|other|others|one|some|many|most|each|both|all|only|several|no|not|such)\b""",
    re.VERBOSE | re.IGNORECASE,
)
# After a verb: not an object.
_NO_OBJECT = re.compile(
    r"(?:about|after|against|along|among|around|as|at|away|back|before|between|by|down|during|for|from|in"
    r"|into|of|off|on|only|onto|out|over|so|that|through|to|too|toward|towards|under|until|up|upon|very"
    r"|when|where|while|with|within|without|\w+ly|it|them|him|her|himself|herself|itself|themselves)\b"
)
# After a word that may be a noun or a verb: it is a verb ("makes a", unlike "uses of").
_FOLLOWS = re.compile(
    rf"(?:an?|the|its|his|their|our|no|by|about|almost|around|nearly|over|some|{_NUMBER})$|\d|[A-Z]",
    re.VERBOSE,
)
# Verbs with which "What did she …?" is not worth asking.
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


# A document's id and the offset of a sentence in it.
SentencePlace = tuple[str, int]


class _Vocabulary(NamedTuple):
    """A document's words: those capitalized within a sentence, and those in lower case."""

    proper: Container[str] = ()
    common: Container[str] = ()


@dataclass(frozen=True, slots=True)
class _Suggestion:
    """A question made from a sentence, the words that should answer it, and the sentence's offsets."""

    question: str
    expected: str
    document: str
    start: int
    end: int

    def is_answered_by(self, answer: Answer) -> bool:
        """Whether the answer is confident, from the sentence, and like `expected`.

        It has to share half of the words of the shorter one.
        """
        citation = answer.citation
        if citation is None or answer.text is None or answer.confidence < MIN_CONFIDENCE:
            return False
        in_sentence = (
            citation.document == self.document
            and citation.start < self.end
            and self.start < citation.end
        )
        words, expected = (set(normalize(t).split()) for t in (answer.text, self.expected))
        shorter = min(len(words), len(expected))
        return in_sentence and 2 * len(words & expected) >= shorter > 0


def example_questions(
    answerer: ArticleAnswerer, n: int = 4, *, beside: Path | None = None
) -> list[str]:
    """At most n questions that the open documents answer.

    They are read from the file NAME.questions.txt next to the file `beside`, one a line, in its order.
    Without such a file they are made from sentences, at most one from each.
    """
    if given := _given(beside) if beside else []:
        answers = answerer.ask_all([(question, ()) for question in given[:BATCH_SIZE]])
        return [answer.question for answer in answers if not answer.abstained][:n]
    return _from_sentences(answerer, n)


def _from_sentences(answerer: ArticleAnswerer, n: int) -> list[str]:
    """At most n questions made from sentences that answer them with the words they ask for."""
    suggestions = _suggestions(answerer.collection)
    questions: dict[SentencePlace, str] = {}
    for first in range(0, MAX_BATCHES * BATCH_SIZE, BATCH_SIZE):
        batch = suggestions[first : first + BATCH_SIZE]
        answers = answerer.ask_all([(suggestion.question, ()) for suggestion in batch])
        answered = [
            (answer.confidence, suggestion)
            for answer, suggestion in zip(answers, batch, strict=True)
            if suggestion.is_answered_by(answer)
        ]
        for _, suggestion in sorted(answered, key=lambda pair: -pair[0]):
            questions.setdefault((suggestion.document, suggestion.start), suggestion.question)
        if len(questions) >= n:
            break
    return list(questions.values())[:n]


def _given(source: Path) -> list[str]:
    path = source.with_suffix(".questions.txt")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    return [line.strip() for line in lines if _can_be_asked(line.strip())]


def _can_be_asked(question: str) -> bool:
    """Whether ask() accepts a line as a question."""
    try:
        check_question(question)
    except QuestionError:
        return False
    return True


def _suggestions(collection: Collection) -> list[_Suggestion]:
    """Questions made from the sentences, those about frequent names first, at most two a sentence."""
    found: dict[str, _Suggestion] = {}
    counts: Counter[str] = Counter()
    passages = [passage for passage in collection.passages if not passage.boilerplate]
    vocabulary = _Vocabulary(
        {word for passage in passages for word in _PROPER.findall(passage.text)},
        {word for passage in passages for word in _COMMON.findall(passage.text)},
    )
    for passage in passages:
        for start, end in passage.sentences:
            text = passage.text[start - passage.start : end - passage.start]
            counts.update(re.sub(r"[’']s$", "", name) for name in _NAME.findall(text))
            for question, expected in _questions(" ".join(text.split()), vocabulary):
                fits = len(question.split()) >= MIN_WORDS and len(question) <= MAX_LENGTH
                if fits and not _INCOMPLETE.search(question[:-1]):
                    suggestion = _Suggestion(question, expected, passage.document_id, start, end)
                    found.setdefault(question, suggestion)

    def weight(suggestion: _Suggestion) -> int:
        names = (count for name, count in counts.items() if name in suggestion.question)
        return max(names, default=0)

    taken: Counter[SentencePlace] = Counter()
    kept = []
    for suggestion in sorted(found.values(), key=lambda one: -weight(one)):
        place = (suggestion.document, suggestion.start)
        taken[place] += 1
        if taken[place] <= 2:
            kept.append(suggestion)
    return kept


def _questions(sentence: str, vocabulary: _Vocabulary) -> Iterator[tuple[str, str]]:
    """Questions that a sentence answers, judged by its form, each with the words that answer it."""
    for match in _DESCRIBED_NAME.finditer(sentence):
        if not _NO_SUBJECT.match(match["subject"]):
            who = "Who" if _PERSON.search(match["what"]) else "What"
            yield f"{who} is {match['subject']}?", match["what"]
    yield from _from_instruction(sentence, vocabulary)
    sentence = _APPOSITION.sub("", sentence, count=1)
    before = _BEFORE.match(sentence)
    start = before.end() if before else 0
    when = _TIME.search(before[0][:1].lower() + before[0][1:]) if before else None
    starts = (start, *(match.end() for match in _NEXT_CLAUSE.finditer(sentence, start)))
    for begin in starts:
        clause = _CLAUSE.match(sentence, begin)
        if (
            clause
            and (there := _THERE.match(clause[0]))
            and (counted := _COUNTED.match(there["rest"]))
        ):
            rest = there["rest"][counted.end() :]
            yield f"How many {counted['what']} {there['verb']} there{rest}?", counted[0]
        if clause and not _NO_SUBJECT.match(sentence, begin):
            time = when[0] if when and begin == start else ""
            yield from _from_clause(clause[0].split(), time, vocabulary)


def _from_instruction(sentence: str, vocabulary: _Vocabulary) -> Iterator[tuple[str, str]]:
    """Questions about an instruction: how long, how often, where and the like."""
    start = _INSTRUCTION_START.match(sentence)
    assert start is not None  # all of its parts are optional
    purpose = f" to {start['purpose']}" if start["purpose"] else ""
    for part in _NEXT_INSTRUCTION.split(sentence[start.end() :].rstrip(".!")):
        match = _INSTRUCTION.fullmatch(part)
        verb = match["verb"][:1].lower() + match["verb"][1:] if match else ""
        # Only a verb's base form instructs: "Visitors bring a map" does not.
        if not _is_base_form(verb) or verb in _NO_INSTRUCTION:
            return
        if match is None or not match["what"] or match["verb"] in vocabulary.proper:
            continue
        what, how = match["what"], match["how"].strip()
        if len(what.split()) <= 7:
            for words, pattern in _HOW:
                if found := pattern.search(how):
                    yield f"{words} do you {verb} {what}{purpose}?", found[0]
            yield f"What do you {verb} {how}{purpose}?", what


def _from_clause(words: list[str], when: str, vocabulary: _Vocabulary) -> Iterator[tuple[str, str]]:
    """Questions about a clause; `when` is the time given before it, or ""."""
    # For each word, the auxiliary of a question about it, "" if it is no verb.
    auxiliaries = [
        _auxiliary(word, after) for word, after in zip(words, [*words[1:], ""], strict=False)
    ]
    position = next((i for i, auxiliary in enumerate(auxiliaries) if i and auxiliary), 0)
    if not 0 < position <= 8:
        return
    # A second verb after "and" ends the part that is asked about.
    ends = (
        i for i in range(position + 2, len(words) - 1) if words[i] == "and" and auxiliaries[i + 1]
    )
    words = words[: next(ends, len(words))]
    subject, verb, rest = (
        " ".join(words[:position]),
        words[position],
        " ".join(words[position + 1 :]),
    )
    if counted := _COUNTED.fullmatch(subject):
        yield f"How many {counted['what']} {verb} {rest}?", counted[0]
        return
    named = bool(_NAMED.fullmatch(subject)) and (position > 1 or subject in vocabulary.proper)
    if not (lowered := _inside_question(subject, named, vocabulary)):
        return
    if verb in ("is", "are", "was", "were"):
        yield from _with_be(lowered, verb, rest, when)
    elif _MODAL.match(verb):
        yield from _with_modal(f"{verb} {lowered}", words[position + 1 :], when)
    # Not in "The bridge built in 1931 was": a participle, the verb follows.
    elif rest and words[position + 1] != "to" and not any(map(_AUXILIARY.match, words[position:])):
        if _SPEECH.match(lemma := _lemma(verb)) or _THIS.match(rest):
            return
        if named and not subject.isupper():
            yield f"Who {verb} {rest}?", subject
        elif auxiliaries[position] == "does" and not lowered.startswith("the "):
            yield f"What {verb} {rest}?", subject
        yield from _with_verb(f"{auxiliaries[position]} {lowered} {lemma}", rest, when)


def _with_modal(inverted: str, words: list[str], when: str) -> Iterator[tuple[str, str]]:
    """Questions about a clause with a modal verb; `inverted` is "must the guests"."""
    if words[:1] == ["be"] and _is_participle(participle := words[1] if words[1:] else ""):
        yield from _circumstances(f"{inverted} be {participle}", " ".join(words[2:]), when)
    elif words and words[0] not in ("be", "have") and _is_base_form(words[0]):
        yield from _with_verb(f"{inverted} {words[0]}", " ".join(words[1:]), when)


def _inside_question(subject: str, named: bool, vocabulary: _Vocabulary) -> str:
    """The subject as it is written within a question; "" if it is probably no subject."""
    lowered = re.sub(r"^(The|An?)\b", lambda article: article[0].lower(), subject)
    if not named and not re.match(r"(?:the|an?)\s", lowered):
        # "Chlorophyll" and "Hardware sales" begin a sentence and are no names.
        lowered = subject[:1].lower() + subject[1:]
        common = " " in subject or lowered in vocabulary.common
        if not common or not re.fullmatch(r"[a-z]{2,}(?: [a-z-]+){0,2}", lowered):
            return ""
    incomplete = _NO_OBJECT.match(lowered) or _INCOMPLETE_SUBJECT.search(f" {subject}")
    return "" if incomplete else lowered


def _with_verb(inverted: str, rest: str, when: str) -> Iterator[tuple[str, str]]:
    """Questions about a clause with another verb; `inverted` is "did the king build"."""
    yield from _circumstances(inverted, rest, when)
    if not (
        _COUNTED.match(rest)
        or _NO_OBJECT.match(rest)
        or _TIME_SPAN.match(rest)
        or _LIGHT.match(inverted.split()[-1])
    ):
        yield f"What {inverted}?", rest


def _circumstances(inverted: str, rest: str, when: str) -> Iterator[tuple[str, str]]:
    """Questions of when, where, how long and how many."""
    if much := _BY_HOW_MUCH.match(rest):
        yield f"By how much {inverted}?", much[0]
    elif rest.startswith("by "):  # "The system introduced by Linnaeus"
        return
    for words, pattern in (("When", _TIME), ("Where", _PLACE), *_HOW_LONG):
        phrase = pattern.search(rest)
        before = rest[: phrase.start()] if phrase else ""
        if words == "Where":
            before = " ".join(_TIME.sub("", before).split())
        if phrase and not _INCOMPLETE.search(f" {before.rstrip()}"):
            yield f"{words} {inverted} {before}".rstrip() + "?", phrase[0]
    if when:
        yield f"When {inverted} {rest}?", when
    if (counted := _COUNTED.match(rest)) and not _TIME_SPAN.fullmatch(counted["what"]):
        yield f"How many {counted['what']} {inverted}?", counted[0]


def _with_be(subject: str, verb: str, rest: str, when: str) -> Iterator[tuple[str, str]]:
    """Questions about a clause with a form of "be": what something is, or what was done."""
    if _KIND.match(rest):
        # "What is the city?" does not say which one.
        if any(map(str.isupper, subject)) or not re.match(r"(?:the|an?)\s", subject):
            who = "Who" if _PERSON.search(" ".join(rest.split()[:6])) else "What"
            yield f"{who} {verb} {subject}?", rest
        return
    if much := _AMOUNT.match(rest):
        yield f"How much {verb} {subject}?", much[0]
    if measure := _MEASURE.match(rest):
        yield f"How {measure['how']} {verb} {subject}?", measure[0]
    participle = rest.split()[0] if rest else ""
    if not _is_participle(participle):
        return
    # "is turned on in October"
    phrasal = _PARTICLE.match(rest)
    inverted = f"{verb} {subject} {phrasal[0] if phrasal else participle}"
    for words, phrase in (
        ("When", _TIME.search(rest)),
        ("By whom", _DOER.search(rest)),
        ("Where", _PLACE.search(rest)),
    ):
        if phrase:
            yield f"{words} {inverted}?", phrase[0]
    if when:
        yield f"When {inverted}?", when


def _is_base_form(word: str) -> bool:
    """Whether a word is a verb's base form, as after "must"."""
    from lemminflect import getAllLemmas

    return word in getAllLemmas(word).get("VERB", ())


def _is_participle(word: str) -> bool:
    """Whether a word is a verb's past participle, as after "was"."""
    from lemminflect import getInflection

    return word.islower() and word in getInflection(_lemma(word), "VBN")


def _lemma(verb: str) -> str:
    from lemminflect import getLemma

    lemma: str = getLemma(verb, "VERB")[0]
    return lemma


def _auxiliary(word: str, after: str) -> str:
    """The auxiliary of a question about a verb: "did", "does", or the word itself if it is one.

    "" if the word, followed by `after`, is probably no verb.
    """
    from lemminflect import getAllLemmas, getInflection

    if _AUXILIARY.match(word):
        return word
    lemmas = getAllLemmas(word)
    if not word.islower() or "VERB" not in lemmas:
        return ""
    if "NOUN" in lemmas and not _FOLLOWS.match(after):
        return ""
    for tag, auxiliary in (("VBD", "did"), ("VBZ", "does")):
        if any(word in getInflection(lemma, tag) for lemma in lemmas["VERB"]):
            return auxiliary
    return ""
