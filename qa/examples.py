"""Questions to show beside a document, each of which it answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from index.collection import Collection
from qa.answer import Answer, Answerer
from qa.metrics import normalize

# So many candidates are put to the document; the answers at least this sure are shown.
TRIED = 40
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
# A clause ends with a mark, or with a word that begins another.
_CLAUSE = re.compile(
    r"""[^\n,;:.?!()\[\]“”"—–]*?(?=\s+(?:that|which|who|whom|whose|while|when|where|whereas|because
        |although|though|so|but|as|after|before|until|if|including|followed)\b|\s+[–—]|[\n,;:?!()\[\]“”"—–]
        |\.(?:\s|$)|$)""",
    re.VERBOSE,
)
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_TIME = re.compile(
    rf"""\b(?:in|on|since|until|around|by)\s+(?:the\s+)?(?:(?:early|late|mid|spring|summer|autumn|fall
        |winter)\s+(?:of\s+)?)*(?:(?:\d{{1,2}}(?:st|nd|rd|th)?\s+)?{_MONTH}\b
        (?:\s+\d{{1,2}}(?:st|nd|rd|th)?(?:\s+and\s+\d{{1,2}}(?:st|nd|rd|th)?)?\b)?(?:,?\s+\d{{4}})?
        |1\d{{3}}s?\b|20\d\ds?\b|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b)""",
    re.VERBOSE,
)
_PLACE = re.compile(
    rf"\b(?:in|at|near)\s+(?:the\s+)?(?!\w*day\b|{_MONTH}\b)[A-Z][a-z]\w*(?:\s+[A-Z]\w+)*"
)
# A word with a capital letter that does not begin its sentence.
_PROPER = re.compile(r"(?<=[a-z,]\s)[A-Z][\w’'-]+")
# A subject that is a name, and what cannot end a question.
_NAMED = re.compile(r"(?!(?:The|An?)\b)[A-Z]\S*(?:\s+(?:[A-Z]\S*|of|the|and|de|van|von|al))*")
_LOOSE = re.compile(r"(?:\s+(?:and|or|also|from|both|a|an|the|to|of|only))+$")
_DOER = re.compile(r"\bby\s+(?:the\s+)?[A-Z]\w+(?:\s+[A-Z]\w+)*")
# "Zhang Tianliang, a professor of": a name and what it is, in passing.
_ASIDE = re.compile(
    r"\b(?P<subject>[A-Z][\w’'-]+(?:\s+[A-Z][\w’'-]+){1,3}),\s+"
    r"(?P<what>(?:an?|the)\s+[\w’'-]+(?:\s+[\w’'-]+){0,5})"
)
_KIND = re.compile(r"(?:an?|the|one)\s+\w")
_AUXILIARY = re.compile(
    r"(?:is|are|was|were|has|have|had|will|would|can|could|may|might|shall|should|must|do|does|did)$"
)
# What begins a sentence and is no subject, or nobody's name, or one only by what was said before.
_NO_SUBJECT = re.compile(
    r"""(?:He|She|It|They|We|I|You|This|That|These|Those|There|His|Her|Its|Their|Our|My|Your|What|Who
        |When|Where|Why|How|Although|Though|While|Since|After|Before|As|If|In|On|At|By|For|From|With
        |Under|During|Until|Despite|Following|According|Thus|However|Also|But|And|So|Or|Nor|Yet|Here
        |Then|Later|\w+ly|Another|Other|Others|One|Some|Many|Most|Each|Both|All|Only|Several|No|Not|Such)\b""",
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
    r"""\b(?:\w+(?:ist|ian|eer|man|woman|ographer|ologist)|actor|actress|artist|author|chair|coach
        |captain|chancellor|composer|chief|critic|daughter|director|emperor|empress|expert|father|founder
        |general|governor|journalist|judge|king|lawyer|leader|mayor|member|minister|monk|mother|nurse
        |officer|painter|participant|player|poet|pope|president|priest|prince|princess|producer|professor
        |proponent|queen|researcher|scholar|secretary|senator|singer|soldier|son|spokesperson|student
        |teacher|winner|worker|writer)s?\b""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Made:
    """A question, the words that should answer it, and where their sentence stands."""

    question: str
    expected: str
    document: str
    start: int
    end: int

    def answered_by(self, answer: Answer) -> bool:
        """Whether the answer is sure, stands in the sentence and has a word of what is expected."""
        at = answer.citation
        if at is None or answer.text is None or answer.confidence < SURE:
            return False
        here = at.document == self.document and at.start < self.end and self.start < at.end
        said = set(normalize(answer.text).split())
        return here and not said.isdisjoint(normalize(self.expected).split())


def example_questions(answerer: Answerer, n: int = 4, *, beside: Path | None = None) -> list[str]:
    """At most n questions that the open documents do answer, the surest first where they are ours.

    They come from the file NAME.questions.txt `beside` a document's file, one a line, and without one
    they are made of the documents' sentences. Of those that are ours only the ones are shown whose
    answer is what they were made to ask for, and no two of one sentence.
    """
    if given := _given(beside) if beside else []:
        answers = answerer.ask_all([(question, ()) for question in given[:TRIED]])
        return [answer.question for answer in answers if not answer.abstained][:n]
    made = _made(answerer.collection)
    answers = answerer.ask_all([(one.question, ()) for one in made])
    found = [
        (answer, one) for answer, one in zip(answers, made, strict=True) if one.answered_by(answer)
    ]
    found.sort(key=lambda pair: -pair[0].confidence)
    shown: dict[tuple[str, int], str] = {}
    for _, one in found:
        shown.setdefault((one.document, one.start), one.question)
    if len(shown) < n:
        for answer in _of_names(answerer):
            at = answer.citation
            assert at is not None  # it is answered
            shown.setdefault((at.document, at.sentence_start), answer.question)
    return list(shown.values())[:n]


def _of_names(answerer: Answerer) -> list[Answer]:
    """What the documents say who or what those are whom they name most often, the surest first.

    Unlike the other questions these are not made of a sentence that answers them, so the answer has to
    be surer, to stand in a sentence with the name, and to say more than the name.
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
        if answer is what and " " in name and not _KIND.match(answer.text):
            continue
        said, named = (set(normalize(words).split()) for words in (answer.text, name))
        if name in answer.sentence(at) and said.isdisjoint(named):
            found.append(answer)
    return sorted(found, key=lambda answer: -answer.confidence)


def _given(source: Path) -> list[str]:
    path = source.with_suffix(".questions.txt")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    return [line.strip() for line in lines if line.strip()]


def _made(collection: Collection) -> list[_Made]:
    """Questions made of the sentences, those on what is named most often first, a few of a sentence."""
    found: dict[str, _Made] = {}
    names: Counter[str] = Counter()
    passages = [passage for passage in collection.passages if not passage.furniture]
    proper = {word for passage in passages for word in _PROPER.findall(passage.text)}
    for passage in passages:
        for start, end in passage.sentences:
            text = passage.text[start - passage.start : end - passage.start]
            names.update(re.sub(r"[’']s$", "", name) for name in _NAME.findall(text))
            for question, expected in _questions(" ".join(text.split()), proper):
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
    return kept[:TRIED]


def _questions(sentence: str, proper: Container[str]) -> Iterator[tuple[str, str]]:
    """The questions that a sentence answers by its form, each with the words that answer it.

    `proper` are the words that are names.
    """
    for aside in _ASIDE.finditer(sentence):
        if not _NO_SUBJECT.match(aside["subject"]):
            who = "Who" if _PERSON.search(aside["what"]) else "What"
            yield f"{who} is {aside['subject']}?", aside["what"]
    before = _BEFORE.match(sentence)
    start = before.end() if before else 0
    if _NO_SUBJECT.match(sentence, start) or not (clause := _CLAUSE.match(sentence, start)):
        return
    when = _TIME.search(before[0][:1].lower() + before[0][1:]) if before else None
    yield from _asked(clause[0].split(), when[0] if when else "", proper)


def _asked(words: list[str], when: str, proper: Container[str]) -> Iterator[tuple[str, str]]:
    """The questions of one clause, "when" being the time said before it, if one was."""
    at = next((i for i, word in enumerate(words) if i and _finite(word)), 0)
    if not 0 < at <= 8:
        return
    ends = (i for i in range(at + 2, len(words) - 1) if words[i] == "and" and _finite(words[i + 1]))
    words = words[: next(ends, len(words))]
    subject, verb, rest = " ".join(words[:at]), words[at], " ".join(words[at + 1 :])
    named = bool(_NAMED.fullmatch(subject)) and (at > 1 or subject in proper)
    if not named and not re.match(r"(?:[Tt]he|[Aa]n?)\s", subject):
        return
    lowered = re.sub(r"^(The|An?)\b", lambda article: article[0].lower(), subject)
    if verb in ("is", "are", "was", "were"):
        yield from _of_being(lowered, verb, rest, when)
    # "The bridge built in 1931 was": a participle, and its clause has a verb still to come.
    elif rest and words[at + 1] != "to" and not any(map(_AUXILIARY.match, words[at:])):
        if _SPEECH.match(lemma := _lemma(verb)):
            return
        if named:
            yield f"Who {verb} {rest}?", subject
        yield from _of_doing(lowered, lemma, rest, when)


def _of_doing(subject: str, lemma: str, rest: str, when: str) -> Iterator[tuple[str, str]]:
    """The questions of a clause with another verb, in the past: when, where and what."""
    for kind, phrase in (("When", _TIME.search(rest)), ("Where", _PLACE.search(rest))):
        if phrase and not _LOOSE.search(f" {rest[: phrase.start()].rstrip()}"):
            yield f"{kind} did {subject} {lemma} {rest[: phrase.start()]}".rstrip() + "?", phrase[0]
    if when:
        yield f"When did {subject} {lemma} {rest}?", when
    if re.match(r"(?:an?|the|[A-Z]\w+)\s", rest) and not _LIGHT.match(lemma):
        yield f"What did {subject} {lemma}?", rest


def _of_being(subject: str, verb: str, rest: str, when: str) -> Iterator[tuple[str, str]]:
    """The questions of a clause with a form of "be": what someone is, or what was done."""
    from lemminflect import getInflection

    if _KIND.match(rest):
        # "What is the city?" asks for nothing that was not said before.
        if any(letter.isupper() for letter in subject):
            who = "Who" if _PERSON.search(" ".join(rest.split()[:6])) else "What"
            yield f"{who} {verb} {subject}?", rest
        return
    done = rest.split()[0] if rest else ""
    if not done.islower() or done not in getInflection(_lemma(done), "VBN"):
        return
    asked = f"{verb} {subject} {done}"
    for kind, phrase in (
        ("When", _TIME.search(rest)),
        ("By whom", _DOER.search(rest)),
        ("Where", _PLACE.search(rest)),
    ):
        if phrase:
            yield f"{kind} {asked}?", phrase[0]
    if when:
        yield f"When {asked}?", when


def _lemma(verb: str) -> str:
    from lemminflect import getLemma

    lemma: str = getLemma(verb, "VERB")[0]
    return lemma


def _finite(word: str) -> bool:
    """Whether a word is likely a clause's verb: a form of "be", an auxiliary or a verb's past."""
    from lemminflect import getAllLemmas, getInflection

    if _AUXILIARY.match(word):
        return True
    kinds = getAllLemmas(word)
    return (
        word.islower()
        and "VERB" in kinds
        and "NOUN" not in kinds
        and any(word in getInflection(lemma, "VBD") for lemma in kinds["VERB"])
    )
