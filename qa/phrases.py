"""Tag the words of a question and find the phrases that it mentions."""

from __future__ import annotations

import re
from typing import NamedTuple

# H asks for a circumstance, W for a thing; I is a form of "be", M another auxiliary, P a preposition,
# O "of", A a conjunction, D an article, J an adjective that also stands alone, B any other word that
# ends a phrase: pronouns, adverbs and verbs frequent in questions. Other words are N if capitalized,
# else w; punctuation marks are ",".
TAGS = {
    word: letter
    for letter, words in {
        "H": "why how when where",
        "W": "what who whom whose which many much what's who's",
        "I": "is are was were be been being isn't aren't wasn't weren't",
        "M": """do does did can could will would should may might must has have had don't doesn't
            didn't can't couldn't won't wouldn't""",
        "P": """about according after against among around as at before behind between by despite
            during for from in into like near off on onto over regarding since than through to toward
            towards under until upon versus via vs with within without""",
        "O": "of",
        "A": "and but or so if because while that",
        "D": "the a an",
        "J": """bad best better different difficult easy famous first good important last main more
            most possible related similar true worth""",
        "B": """i i'm you we he she it it's they me him them us his her hers its their theirs my your
            our this these those there here not then also too some any all such same other others
            one ones ever else just still often people someone something things today
            affect become begin believe belong bring build buy call came cause causes change come
            compare contain cook cost create describe develop die differ discover drink eat enable
            evolve explain fall feel fight find found get give go goes grow happen happens help hold
            increase invent keep kill know lead learn leave led let listen live look lose made make
            makes mean meet need offer play prevent produce propose react reduce say see sell send
            show start stay stop take teach tell think travel treat try understand use visit want
            went win work write""",
    }.items()
    for word in words.split()
}
TOKEN = re.compile(r"(?:[A-Z]\.){2,}|[^\W_](?:[^\W_]|[-_.&'’](?=[^\W_]))*|[^\w\s]")
_VERB_OR_ADVERB = re.compile(r".+(?:[^e]ed|[aiu]lly|[st]ely|[nu][ts]ly)")
_PHRASE = re.compile(r"(?:DJ*)?(?:[Nw]*N(?:OD?N)+[Nw]*|[Nw]+)")
# Phrases that name a part of something, or depend on earlier turns.
_WEAK = re.compile(
    r"""(?i:(?:[\w-]+\s+)*(?:advantages?|applications?|aspects?|benefits?|causes?|characteristics
      |competitors|components?|cons|consequences|criticisms?|differences?|disadvantages?|drawbacks?
      |effects?|examples?|features?|findings|history|implications?|importance|kinds?|options?
      |origins?|parts?|pros|reasons?|results?|risks?|roles?|roots|similarities|symptoms?|themes?
      |treatments?|types?|uses?|variety|varieties|versions?|ways?))
      |[Tt]he\s+(?:(?:main|key|major|most|first|last|[a-z]+est)\s+)*[a-z-]+ | [a-z]+ing""",
    re.VERBOSE,
)


class Mention(NamedTuple):
    """A phrase and the word before it; `distance` is 0 for the topic of the conversation."""

    text: str
    before: str
    distance: int = 0

    @property
    def name(self) -> bool:
        """Whether it has a capital letter."""
        return any(letter.isupper() for letter in self.text)

    @property
    def asked(self) -> bool:
        """Whether the question asks for it: "Which city …"."""
        return TAGS.get(self.before) == "W"

    @property
    def weak(self) -> bool:
        """Whether it says little without the whole that it is a part of."""
        alone = self.before in ("how", "other", "similar", "any", "he", "she", "it", "they")
        return alone or bool(_WEAK.fullmatch(self.text))

    @property
    def plural(self) -> bool:
        """Whether "they" can refer to it, judged by its form."""
        return bool(re.search(r"[^s]s$|\band\b|^an? ", self.text))


def tag(text: str) -> tuple[str, list[re.Match[str]]]:
    """A letter for each word and punctuation mark of a text, and their matches."""
    tokens = list(TOKEN.finditer(text))
    # In a text in title case, capitals do not indicate names.
    title_case = len(tokens) > 4 and not any(token[0][0].islower() for token in tokens)
    tags = ""
    for token in tokens:
        word = token[0].lower().replace("’", "'")
        known = TAGS.get(word, "B" if _VERB_OR_ADVERB.fullmatch(word) else "")
        capital = token[0][0].isupper() and not title_case and word not in ("i", "i'm")
        if not word[0].isalnum():
            tags += ","
        else:
            # The first word of a sentence is capitalized whatever it is.
            tags += "N" if capital and (tags or not known) else known or "w"
    # After the subject comes a verb in "did Putin visit", a predicate in "is cancer treatable?".
    tags = re.sub(r"(?<=M)(D?N+(?:OD?N+)?)w", r"\1B", tags)
    return re.sub(r"^([H,]?I(?:D?w+|D?[wN]*N))w(?=,*$)", r"\1B", tags), tokens


def mentions(text: str) -> list[Mention]:
    """The phrases of a text in order, but those that a question asks for last."""
    tags, tokens = tag(text)
    found: list[Mention] = []
    for match in _PHRASE.finditer(tags):
        first, last = tokens[match.start()], tokens[match.end() - 1]
        before = tokens[match.start() - 1][0].lower() if match.start() else ""
        # "learning Norwegian" mentions Norwegian.
        phrase = re.sub(r"^[a-z]+ing\s+(?=[A-Z])", "", text[first.start() : last.end()])
        found.append(Mention(phrase, before))
    return sorted(found, key=lambda m: m.asked)
