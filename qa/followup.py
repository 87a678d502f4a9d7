"""A question that leans on the turns before it in, ones that can be searched by themselves out.

There is no language model in it. Every word gets a letter for the part it plays, phrases are regular
expressions over those letters, and a word that points back is replaced by the phrases it can mean.
Several rewritings come out, for the reader's confidence to choose from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from qa.phrases import LETTERS, TOKEN, Mention, letters_of, mentions
from qa.types import Turn

MAX_REWRITINGS = 4
# The turns that are looked at: the first, which names the theme, and the last ones.
_MEMORY = 8
# The longest answer that is taken for a name or a date, in characters.
_SHORT = 60

# Words that point back, by what they can mean. "it" fills a place in "does it take to" and in "is it
# true that", "this article" is the open one, and "that" mostly joins clauses.
_POINTER = re.compile(
    r"""\b(?:(?P<person>he|she|him|hers?|his)
      | (?P<many>they|them|theirs?)
      | (?P<thing>its|it(?!\s+(?:take|mean|that|been)\b|\s+(?:true|possible|likely|necessary|okay
            |important|said|believed|assumed|announced|known|proposed)\s+\w))
      | (?P<place>(?<!\bis\s)(?<!\bare\s)there(?=\s*(?:[?.!,]|$)))
      | (?P<turn>(?:then|so|ones?|that)(?=\W*$)
        | (?:(?<=\b(?:in|of|at|is)\s)that|(?<=\b(?:was|did)\s)that|(?<=\bdoes\s)that
            |(?<=\bafter\s)that|(?<=\bbefore\s)that|this|these|those)(?!\s+(?:article|text|page|document|story|passage|year|month|week
            |century|days|who|of|that|in|with)\b)))\b""",
    re.IGNORECASE | re.VERBOSE,
)
# "her" is both who and whose.
_OWNER = re.compile(
    r"""(?:his|its|theirs?|hers|her(?=\s+(?!(?:about|after|and|as|at|before|by|during|ever|for|from
      |here|in|not|on|or|then|there|to|too|when|who|with)\b)\w))\b""",
    re.IGNORECASE | re.VERBOSE,
)
# Letters before a pointer (S the subject of a clause, G an owner, else X) whose meaning stands among
# them: in a clause that is over ("What is it, and why …"), or as the subject of the same one.
_HELD = re.compile(
    r"(?<![WNwDJ])[DJ]*[Nw].*(?:,|A(?=[HWIMSGX])|[HW]|P(?=[^P]+[IMB]))|[Nw][IMBw][^A]*(?<![IM])[SG]$"
)
_JOINED = re.compile(r"^\W*(?:and|but|or|so|also)\b[\s,]*", re.IGNORECASE)
_BARE = re.compile(
    r"^\W*(?:(why|how|when|where)|who|what|which|how\s+(?:so|come|many|much)|why\s+not|since\s+when"
    r"|(?:who|what|where|anything|anyone)\s+else)\W*$",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"^\W*(?:what|how)\s+about\s+", re.IGNORECASE)
_WHO_IS = re.compile(
    r"\W*who(?:\s+|['’])(?:s|is|was|are|were)\s+((?:\S+\s+){0,5}?\S*\w)\W*$", re.IGNORECASE
)
_NUMBER = re.compile(r"\d[\d.,]*\d|\d")
_END = re.compile(r"\s*[?.!]*\s*$")


def leans(question: str, history: Sequence[Turn | tuple[str, ...]]) -> bool:
    """Whether a question can only be understood after the turns before it."""
    return bool(history) and _leaning(question)


def rewritings(question: str, history: Sequence[Turn | tuple[str, ...]]) -> list[str]:
    """At most MAX_REWRITINGS forms that stand alone, likeliest first; [] where it does so itself.

    The last is the question with the one that it leans on put before it.
    """
    if not leans(question, history):
        return []
    turns = [Turn(*turn) for turn in (*history[:1], *history[1:][-_MEMORY:])]
    found = [re.sub(r"\s+", " ", text).strip() for text in _rewritten(question, turns)]
    found = [text[:1].upper() + text[1:] for text in found[: MAX_REWRITINGS - 1]]
    found.append(f"{_theme(turns)} {question.strip()}".strip())
    return [text for text in dict.fromkeys(found) if text != question.strip()]


def _leaning(question: str) -> bool:
    body = _JOINED.sub("", question)
    forms = _BARE.match(body) or _fragment(question) or _unfinished(body)
    return bool(forms or _pointers(body))


def _theme(turns: Sequence[Turn]) -> str:
    """The last question that stands alone and names something."""
    asked = [turn.question.strip() for turn in turns]
    for question in reversed(asked):
        if not _leaning(question) and any(not m.weak for m in mentions(question)):
            return question
    return asked[0]


def _pointers(body: str) -> list[re.Match[str]]:
    """The words that point back, without those whose meaning stands before them in the question."""
    letters, tokens = letters_of(body)
    numbers = {token.start(): number for number, token in enumerate(tokens)}
    found = []
    for match in _POINTER.finditer(body):
        at, word = numbers.get(match.start(), 0), match[0].lower()
        after = letters[at + 1 : at + 2]
        owner = _OWNER.match(body, match.start())
        subject = word in ("he", "she", "they") or (word == "it" and after in tuple("IM"))
        role = "G" if owner else "S" if subject else "X"
        counted = match.lastgroup == "place" and letters.startswith("HW")
        if not counted and not _HELD.search(letters[:at] + role):
            found.append(match)
    return found


def _unfinished(body: str) -> bool:
    """Whether it names a part, and not of what: "What are the main types?", "How was the test?"."""
    letters, _ = letters_of(body)
    whole = len(letters) > 12 or re.search("(?<!^B)(?<!^BB)[PO](?!,*$)|N", letters)
    parts = mentions(body)
    return not whole and bool(parts) and all(m.weak for m in parts)


def _fragment(question: str) -> str:
    """What a question without a verb asks about: "in 2019" of "and in 2019?", else ""."""
    body = _ABOUT.sub("", _JOINED.sub("", question))
    letters, _ = letters_of(body)
    if len(letters) > 9 or re.search("[HWIM]", letters) or not re.search("[Nw]", letters):
        return ""
    return _END.sub("", body) if body != question or letters[0] == "P" else ""


def _entities(turns: Sequence[Turn]) -> list[Mention]:
    """What the turns speak of, likeliest first."""
    theme, last = _theme(turns), turns[-1]
    who = _WHO_IS.match(theme)
    found = [Mention(who[1], "who")] if who else []
    # He is "the president of Russia" rather than Russia.
    aside = 2 if who else 0
    found += [m._replace(distance=aside) for m in sorted(mentions(theme), key=lambda m: m.weak)]
    # Xi Jinping is spoken of where "Xi Jinping's response" is.
    found += [m._replace(text=re.sub(r"['’]s .*", "", m.text)) for m in found if m.name]
    # The answer to "Who is Zhang?" is what he is, and he is still Zhang.
    described = who is not None and who[1][0].isupper()
    if not described and len(last.answer) < _SHORT and not _NUMBER.search(last.answer):
        asked = (TOKEN.findall(last.question) or [""])[0].lower()
        found += [m._replace(before=f"{asked}?") for m in mentions(last.answer)[:1]]
    others = [mentions(t.question) for t in reversed(turns) if t.question.strip() != theme]
    named = [[m for m in of if not m.weak and not m.asked] for of in others]
    for some in (slice(1), slice(1, None)):
        found += [m._replace(distance=1) for of in named for m in of[some]]
    said = [m for m in mentions(last.sentence) if m.name and not _NUMBER.search(m.text)]
    return found + [m._replace(distance=2) for m in said]


def _misfit(kind: str | None, mention: Mention) -> int:
    """How badly what is mentioned fits a word that points back: the least is the best."""
    before, name = mention.before, mention.name
    placed = before in ("in", "at", "from", "near", "visit")
    fit = mention.distance + 2 * mention.weak
    if before.endswith("?"):
        answering = {"person": ("who?",), "place": ("where?",), "many": ("who?",)}
        fit += -2 if name and before in answering.get(kind or "", ("what?", "which?")) else 1
    if kind == "person":
        return fit + 4 * placed + 2 * (not name and before != "who")
    fit += 3 * (before == "who")
    if kind == "place":
        return fit + (not placed and before not in ("to", "of")) + (LETTERS.get(before) == "M")
    return fit + 2 * (not mention.plural if kind == "many" else mention.plural and not name)


def _choices(kind: str | None, body: str, entities: Sequence[Mention]) -> list[str]:
    """What a word that points back can mean, best first, without what the question names itself."""
    known = set(TOKEN.findall(body.lower())) | {"the", "a", "an"}
    fitting = [m for m in entities if not set(TOKEN.findall(m.text.lower())) <= known]
    misfits = [_misfit(kind, m) for m in fitting]
    order = sorted(range(len(fitting)), key=misfits.__getitem__)
    texts = [fitting[i].text for i in order if misfits[i] < min(min(misfits) + 2, 4)]
    if kind == "many":
        texts = [re.sub(r"^(?i:an?) (.*[^s])$", r"\1s", text) for text in texts]
    return list(dict.fromkeys(texts))


def _rewritten(question: str, turns: Sequence[Turn]) -> Iterator[str]:
    """The question with what its pointers can mean in their place, or with what it leaves out."""
    body, entities = _JOINED.sub("", question), _entities(turns)
    pointers = _pointers(body)
    if not pointers and _unfinished(body):
        part = mentions(body)[-1].text
        for text in _choices(None, body, entities)[:2]:
            # "the experiment" after "the Stanford Experiment" is that one.
            same = part.split()[-1].lower() == text.split()[-1].lower()
            yield (text if same else f"{part} of {text}").join(body.rsplit(part, 1))
    elif not pointers:
        yield from _completed(question, turns)
    for choice in range(MAX_REWRITINGS - 1):
        meant: dict[str | None, str] = {}
        text, at = "", 0
        for match in pointers:
            kind, rest = match.lastgroup, 0 if meant else choice
            options = [t for t in _choices(kind, body, entities) if t not in meant.values()]
            if kind == "turn":
                # "after that" is after the date that was the answer.
                dated = re.search(r"(?i)\b(?:after|before|since)\s$", body[: match.start()])
                answer = turns[-1].answer
                options = [answer] if dated and _NUMBER.search(answer[:_SHORT]) else []
            # The next pointer of a kind means the same, and is clear once the first one is.
            if kind not in meant and rest < len(options):
                meant[kind] = options[rest]
                text += body[at : match.start()] + _form(match, body, options[rest])
                at = match.end()
        if meant:
            yield text + body[at:]


def _form(match: re.Match[str], body: str, entity: str) -> str:
    """An entity in the form of the word that it replaces."""
    word = match[0].lower()
    if word == "there":
        went = re.search(r"(?i)\b(?:go|went|gone|travel|come|came|get)\s+$", body[: match.start()])
        return f"{'to' if went else 'in'} {entity}"
    if _OWNER.match(body, match.start()):
        return f"{entity}'" if entity.endswith("s") else f"{entity}'s"
    return entity


def _completed(question: str, turns: Sequence[Turn]) -> Iterator[str]:
    """The last question with what this one has of its own put in: "and in 2019?", "why?"."""
    answer = turns[-1].answer
    last = next(iter(rewritings(turns[-1].question, turns[:-1])), turns[-1].question).strip()
    if bare := _BARE.match(_JOINED.sub("", question)):
        letters, tokens = letters_of(last)
        again = re.match("H*(?=[IM])|W(?=M)", letters)
        if bare[1] and again:
            tail = _END.sub("", last[tokens[again.end()].start() :])
            # "What did he propose?" with its answer is "did he propose an alliance".
            tail += f" {answer}" if letters[0] == "W" and answer and len(answer) < _SHORT else ""
            yield f"{bare[1]} {tail[:1].lower()}{tail[1:]}?"
        return
    rest = _fragment(question)
    preposition = rest.split()[0] if letters_of(rest)[0][0] == "P" else ""
    phrase = rest[len(preposition) :].strip()
    number, numbers = _NUMBER.search(rest), _NUMBER.findall(last)
    name = any(letter.isupper() for letter in phrase)
    if number and numbers:
        like, phrase = numbers[-1:], number[0]
    elif preposition:
        like = [m.text for m in mentions(last) if m.before == preposition.lower()][-1:]
    else:
        like = [m.text for m in mentions(last) if m.name == name][::-1][:2]
        for text in _choices(None, question, _entities(turns))[: not name]:
            yield f"What about {phrase} of {text}?"
    for text in like:
        yield phrase.join(last.rsplit(text, 1))
    if preposition and not like:
        yield f"{_END.sub('', last)} {rest}?"
