"""Rewrite context-dependent questions into standalone questions, without a language model.

Every word is tagged with a letter for its part of speech (qa/phrases.py) and phrases are found by
regular expressions over the tags. An anaphor, such as "it" or "there", is replaced by the phrases of
earlier turns that it may refer to. The reader's confidence chooses among the rewritings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from qa.phrases import TAGS, TOKEN, Mention, mentions, tag
from qa.types import Turn

MAX_REWRITINGS = 4
# The last turns that are searched for antecedents, besides the first, which names the topic.
_MAX_TURNS = 8
# The longest answer that is taken for a name or a date, in characters.
_MAX_SHORT_ANSWER = 60

# Anaphors by what they can refer to. Not included: the expletive "it" of "does it take to" and "is it
# true that", "this article", which is the open one, and the conjunction "that".
_ANAPHOR = re.compile(
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
# "her" is a possessive only before a noun.
_POSSESSIVE = re.compile(
    r"""(?:his|its|theirs?|hers|her(?=\s+(?!(?:about|after|and|as|at|before|by|during|ever|for|from
      |here|in|not|on|or|then|there|to|too|when|who|with)\b)\w))\b""",
    re.IGNORECASE | re.VERBOSE,
)
# Tags before an anaphor (S for a subject, G for a possessive, X for others) that have its antecedent:
# in an earlier clause of the question, or as the subject of the same clause.
_HAS_ANTECEDENT = re.compile(
    r"(?<![WNwDJ])[DJ]*[Nw].*(?:,|A(?=[HWIMSGX])|[HW]|P(?=[^P]+[IMB]))|[Nw][IMBw][^A]*(?<![IM])[SG]$"
)
_CONJUNCTION = re.compile(r"^\W*(?:and|but|or|so|also)\b[\s,]*", re.IGNORECASE)
_BARE_QUESTION_WORD = re.compile(
    r"^\W*(?:(why|how|when|where)|who|what|which|how\s+(?:so|come|many|much)|why\s+not|since\s+when"
    r"|(?:who|what|where|anything|anyone)\s+else)\W*$",
    re.IGNORECASE,
)
_WHAT_ABOUT = re.compile(r"^\W*(?:what|how)\s+about\s+", re.IGNORECASE)
_WHO_IS = re.compile(
    r"\W*who(?:\s+|['’])(?:s|is|was|are|were)\s+((?:\S+\s+){0,5}?\S*\w)\W*$", re.IGNORECASE
)
_NUMBER = re.compile(r"\d[\d.,]*\d|\d")
_FINAL_MARKS = re.compile(r"\s*[?.!]*\s*$")


def depends_on_context(question: str, history: Sequence[Turn | tuple[str, ...]]) -> bool:
    """Whether a question can only be understood with the turns before it."""
    return bool(history) and _is_dependent(question)


def rewritings(question: str, history: Sequence[Turn | tuple[str, ...]]) -> list[str]:
    """At most MAX_REWRITINGS standalone versions, most likely first; [] if the question is standalone.

    The last one is the question with the previous one that it depends on in front.
    """
    if not depends_on_context(question, history):
        return []
    turns = [Turn(*turn) for turn in (*history[:1], *history[1:][-_MAX_TURNS:])]
    texts = [re.sub(r"\s+", " ", text).strip() for text in _rewritten(question, turns)]
    texts = [text[:1].upper() + text[1:] for text in texts[: MAX_REWRITINGS - 1]]
    texts.append(f"{_topic_question(turns)} {question.strip()}".strip())
    return [text for text in dict.fromkeys(texts) if text != question.strip()]


def _is_dependent(question: str) -> bool:
    body = _CONJUNCTION.sub("", question)
    if _BARE_QUESTION_WORD.match(body) or _fragment(question) or _is_incomplete(body):
        return True
    return bool(_anaphors(body))


def _topic_question(turns: Sequence[Turn]) -> str:
    """The last standalone question that names something."""
    questions = [turn.question.strip() for turn in turns]
    for question in reversed(questions):
        if not _is_dependent(question) and any(not m.weak for m in mentions(question)):
            return question
    return questions[0]


def _anaphors(body: str) -> list[re.Match[str]]:
    """The anaphors of a question whose antecedent is not in the question itself."""
    tags, tokens = tag(body)
    numbers = {token.start(): number for number, token in enumerate(tokens)}
    found = []
    for match in _ANAPHOR.finditer(body):
        number, word = numbers.get(match.start(), 0), match[0].lower()
        after = tags[number + 1 : number + 2]
        possessive = _POSSESSIVE.match(body, match.start())
        subject = word in ("he", "she", "they") or (word == "it" and after in tuple("IM"))
        role = "G" if possessive else "S" if subject else "X"
        # The "there" of "How many rivers are there?" is expletive.
        counted = match.lastgroup == "place" and tags.startswith("HW")
        if not counted and not _HAS_ANTECEDENT.search(tags[:number] + role):
            found.append(match)
    return found


def _is_incomplete(body: str) -> bool:
    """Whether a question names a part without the whole: "What are the main types?"."""
    tags, _ = tag(body)
    complete = len(tags) > 12 or re.search("(?<!^B)(?<!^BB)[PO](?!,*$)|N", tags)
    parts = mentions(body)
    return not complete and bool(parts) and all(m.weak for m in parts)


def _fragment(question: str) -> str:
    """The topic of a question without a verb, "in 2019" of "and in 2019?"; "" for other questions."""
    body = _WHAT_ABOUT.sub("", _CONJUNCTION.sub("", question))
    tags, _ = tag(body)
    if len(tags) > 9 or re.search("[HWIM]", tags) or not re.search("[Nw]", tags):
        return ""
    return _FINAL_MARKS.sub("", body) if body != question or tags[0] == "P" else ""


def _antecedents(turns: Sequence[Turn]) -> list[Mention]:
    """The phrases of the turns that an anaphor may refer to, most likely first."""
    topic, last = _topic_question(turns), turns[-1]
    who = _WHO_IS.match(topic)
    found = [Mention(who[1], "who")] if who else []
    # After "Who is the president of Russia?" "he" is "the president of Russia", not Russia.
    distance = 2 if who else 0
    by_strength = sorted(mentions(topic), key=lambda m: m.weak)
    found += [m._replace(distance=distance) for m in by_strength]
    # "Xi Jinping's response" also mentions Xi Jinping.
    found += [m._replace(text=re.sub(r"['’]s .*", "", m.text)) for m in found if m.name]
    # The answer to "Who is Zhang?" describes him, and he is still called Zhang.
    described = who is not None and who[1][0].isupper()
    if not described and len(last.answer) < _MAX_SHORT_ANSWER and not _NUMBER.search(last.answer):
        question_word = (TOKEN.findall(last.question) or [""])[0].lower()
        found += [m._replace(before=f"{question_word}?") for m in mentions(last.answer)[:1]]
    others = [mentions(t.question) for t in reversed(turns) if t.question.strip() != topic]
    strong = [[m for m in group if not m.weak and not m.asked] for group in others]
    for part in (slice(1), slice(1, None)):  # the first mention of each question, then the rest
        found += [m._replace(distance=1) for group in strong for m in group[part]]
    in_sentence = [m for m in mentions(last.sentence) if m.name and not _NUMBER.search(m.text)]
    return found + [m._replace(distance=2) for m in in_sentence]


def antecedent_cost(kind: str | None, mention: Mention) -> int:
    """How badly a mention fits an anaphor, lower is better; `kind` is its group in _ANAPHOR or None."""
    before, name = mention.before, mention.name
    at_place = before in ("in", "at", "from", "near", "visit")
    cost = mention.distance + 2 * mention.weak
    if before.endswith("?"):
        question_words = {"person": ("who?",), "place": ("where?",), "many": ("who?",)}
        fits = name and before in question_words.get(kind or "", ("what?", "which?"))
        cost += -2 if fits else 1
    if kind == "person":
        return cost + 4 * at_place + 2 * (not name and before != "who")
    cost += 3 * (before == "who")
    if kind == "place":
        return cost + (not at_place and before not in ("to", "of")) + (TAGS.get(before) == "M")
    return cost + 2 * (not mention.plural if kind == "many" else mention.plural and not name)


def _resolutions(kind: str | None, body: str, antecedents: Sequence[Mention]) -> list[str]:
    """The texts an anaphor may stand for, best first, without what the question names itself."""
    known = set(TOKEN.findall(body.lower())) | {"the", "a", "an"}
    new = [m for m in antecedents if not set(TOKEN.findall(m.text.lower())) <= known]
    costs = [antecedent_cost(kind, m) for m in new]
    order = sorted(range(len(new)), key=costs.__getitem__)
    texts = [new[i].text for i in order if costs[i] < min(min(costs) + 2, 4)]
    if kind == "many":
        texts = [re.sub(r"^(?i:an?) (.*[^s])$", r"\1s", text) for text in texts]
    return list(dict.fromkeys(texts))


def _rewritten(question: str, turns: Sequence[Turn]) -> Iterator[str]:
    """The question with its anaphors resolved, or completed with what it omits."""
    body, antecedents = _CONJUNCTION.sub("", question), _antecedents(turns)
    anaphors = _anaphors(body)
    if not anaphors and _is_incomplete(body):
        part = mentions(body)[-1].text
        for text in _resolutions(None, body, antecedents)[:2]:
            # "the experiment" after "the Stanford Experiment" is the same one.
            same = part.split()[-1].lower() == text.split()[-1].lower()
            yield (text if same else f"{part} of {text}").join(body.rsplit(part, 1))
    elif not anaphors:
        yield from _completed(question, turns)
    for choice in range(MAX_REWRITINGS - 1):
        resolved: dict[str | None, str] = {}
        text, position = "", 0
        for match in anaphors:
            # Only the first anaphor varies.
            kind, number = match.lastgroup, 0 if resolved else choice
            used = set(resolved.values())
            options = [t for t in _resolutions(kind, body, antecedents) if t not in used]
            if kind == "turn":
                # "after that": after the date that was the answer.
                dated = re.search(r"(?i)\b(?:after|before|since)\s$", body[: match.start()])
                answer = turns[-1].answer
                is_date = dated and _NUMBER.search(answer[:_MAX_SHORT_ANSWER])
                options = [answer] if is_date else []
            # A second anaphor of a kind refers to the same thing and is clear without replacing it.
            if kind not in resolved and number < len(options):
                resolved[kind] = options[number]
                text += body[position : match.start()] + _inflected(match, body, options[number])
                position = match.end()
        if resolved:
            yield text + body[position:]


def _inflected(match: re.Match[str], body: str, antecedent: str) -> str:
    """An antecedent in the form of the anaphor that it replaces."""
    word = match[0].lower()
    if word == "there":
        went = re.search(r"(?i)\b(?:go|went|gone|travel|come|came|get)\s+$", body[: match.start()])
        return f"{'to' if went else 'in'} {antecedent}"
    if _POSSESSIVE.match(body, match.start()):
        return f"{antecedent}'" if antecedent.endswith("s") else f"{antecedent}'s"
    return antecedent


def _completed(question: str, turns: Sequence[Turn]) -> Iterator[str]:
    """The previous question with the new part of this one: "and in 2019?", "why?"."""
    answer = turns[-1].answer
    previous = turns[-1].question
    previous = next(iter(rewritings(previous, turns[:-1])), previous).strip()
    if bare := _BARE_QUESTION_WORD.match(_CONJUNCTION.sub("", question)):
        tags, tokens = tag(previous)
        question_words = re.match("H*(?=[IM])|W(?=M)", tags)
        if bare[1] and question_words:
            tail = _FINAL_MARKS.sub("", previous[tokens[question_words.end()].start() :])
            # "What did he propose?" becomes "did he propose" and its answer, "an alliance".
            short = answer and len(answer) < _MAX_SHORT_ANSWER
            tail += f" {answer}" if tags[0] == "W" and short else ""
            yield f"{bare[1]} {tail[:1].lower()}{tail[1:]}?"
        return
    fragment = _fragment(question)
    preposition = fragment.split()[0] if tag(fragment)[0][0] == "P" else ""
    phrase = fragment[len(preposition) :].strip()
    number, numbers = _NUMBER.search(fragment), _NUMBER.findall(previous)
    name = any(letter.isupper() for letter in phrase)
    # Phrases of the previous question that the new one may replace.
    if number and numbers:
        replaced, phrase = numbers[-1:], number[0]
    elif preposition:
        replaced = [m.text for m in mentions(previous) if m.before == preposition.lower()][-1:]
    else:
        replaced = [m.text for m in mentions(previous) if m.name == name][::-1][:2]
        for text in _resolutions(None, question, _antecedents(turns))[: not name]:
            yield f"What about {phrase} of {text}?"
    for text in replaced:
        yield phrase.join(previous.rsplit(text, 1))
    if preposition and not replaced:
        yield f"{_FINAL_MARKS.sub('', previous)} {fragment}?"
