import pytest

from qa.followup import MAX_REWRITINGS, depends_on_context, rewritings
from qa.phrases import mentions
from qa.types import Turn

SENTENCE = (
    "According to the Kremlin’s announcement, Putin visited North Korea on June 18th and 19th, "
    "followed by a visit to Vietnam from the 19th to the 20th."
)
VISIT = Turn("When did Putin visit North Korea?", "June 18th and 19th", SENTENCE)
VIETNAM = Turn("Where did he go after that?", "Vietnam", SENTENCE)
ZHANG = Turn("Who is Zhang Tianliang?", "Professor")
UNIVERSITY = Turn("Which university is he from?", "Feiteng University")


def after(question: str, answer: str = "") -> list[Turn]:
    return [Turn(question, answer)]


@pytest.mark.parametrize(
    ("history", "question", "first"),
    [
        # Persons, by what they are, by their names, and by what they own.
        ([VISIT], "Where did he go after that?", "Where did Putin go after June 18th and 19th?"),
        ([VISIT], "When was his previous visit?", "When was Putin's previous visit?"),
        ([VISIT, VIETNAM], "When was his previous visit?", "When was Putin's previous visit?"),
        ([ZHANG], "Which university is he from?", "Which university is Zhang Tianliang from?"),
        (
            [ZHANG, UNIVERSITY],
            "What is his program called?",
            "What is Zhang Tianliang's program called?",
        ),
        (
            after("Who is the president of Russia?", "Vladimir Putin"),
            "When did he go to North Korea?",
            "When did Vladimir Putin go to North Korea?",
        ),
        (
            after("Who is the president of Russia?"),
            "Where was he born?",
            "Where was the president of Russia born?",
        ),
        ([VISIT], "Why did Kim invite him?", "Why did Kim invite Putin?"),
        (
            after("Who was Marie Curie?"),
            "What did her work show?",
            "What did Marie Curie's work show?",
        ),
        # Things: those that were asked about, and answers.
        (after("What is throat cancer?"), "Is it treatable?", "Is throat cancer treatable?"),
        (
            after("Tell me about lung cancer."),
            "What are its symptoms?",
            "What are lung cancer's symptoms?",
        ),
        (after("What is a virtual machine?"), "How do they work?", "How do virtual machines work?"),
        (after("Tell me about the history of toilets."), "Who made them?", "Who made toilets?"),
        (
            after("What newspaper did Putin write for?", "Rodong Sinmun"),
            "Who publishes it?",
            "Who publishes Rodong Sinmun?",
        ),
        (
            after("Why was Putin isolated?", "sanctions imposed by Western countries"),
            "Who imposed them?",
            "Who imposed sanctions?",
        ),
        # Places.
        ([VISIT], "Who went there?", "Who went to North Korea?"),
        ([VISIT, VIETNAM], "What did he do there?", "What did Putin do in Vietnam?"),
        # What is left out.
        (after("Was Putin isolated?"), "why?", "Why was Putin isolated?"),
        (
            after("When did Putin visit North Korea?"),
            "And why?",
            "Why did Putin visit North Korea?",
        ),
        (
            after("What did Putin propose?", "an alliance"),
            "Why?",
            "Why did Putin propose an alliance?",
        ),
        (
            after("How many people visited in 2018?"),
            "and in 2019?",
            "How many people visited in 2019?",
        ),
        ([VISIT], "And in 2019?", "When did Putin visit North Korea in 2019?"),
        (
            after("When was Putin in North Korea?"),
            "What about Vietnam?",
            "When was Putin in Vietnam?",
        ),
        (after("When was Putin in North Korea?"), "And in Vietnam?", "When was Putin in Vietnam?"),
        (
            after("Describe the oceanic crust."),
            "What are the main layers?",
            "What are the main layers of the oceanic crust?",
        ),
        # However it is typed.
        (after("when did putin visit north korea"), "where did he go", "Where did putin go"),
        (after("WHEN DID PUTIN VISIT NORTH KOREA"), "WHERE DID HE GO", "WHERE DID PUTIN GO"),
    ],
)
def test_the_first_rewriting(history: list[Turn], question: str, first: str) -> None:
    found = rewritings(question, history)
    assert found[0] == first
    assert depends_on_context(question, history)
    assert question not in found
    assert len(found) == len(set(found)) <= MAX_REWRITINGS


def test_other_rewritings_follow_and_the_previous_question_in_front_is_last() -> None:
    assert rewritings("What is its capital?", [VISIT]) == [
        "What is Putin's capital?",
        "What is North Korea's capital?",
        "When did Putin visit North Korea? What is its capital?",
    ]
    assert rewritings("What about Vietnam?", after("When was Putin in North Korea?")) == [
        "When was Putin in Vietnam?",
        "When was Vietnam in North Korea?",
        "When was Putin in North Korea? What about Vietnam?",
    ]
    # The previous turn does not name the topic.
    history = [VISIT, VIETNAM, Turn("Why?", "")]
    assert rewritings("What does that mean?", history) == [
        "When did Putin visit North Korea? What does that mean?"
    ]


def test_two_anaphors_of_different_kinds_do_not_share_an_antecedent() -> None:
    assert not any("Kim tell Kim" in r for r in rewritings("What did Kim tell him?", [VISIT]))
    turn = Turn("Did Kim Jong-un meet Putin?", "", "")
    for found in rewritings("Why did he thank them?", [turn])[:-1]:
        assert found.count("Putin") < 2
        assert found.count("Kim Jong-un") < 2


@pytest.mark.parametrize(
    "question",
    [
        "When did Putin last visit?",
        "Is it true that Xi Jinping was absent?",
        "How long did it take to sign the agreement?",
        "How many years had it been since Putin's previous trip to North Korea?",
        "How many tanks are there in Ukraine?",
        "Why was Putin isolated?",
        "But why was Putin isolated?",
        "What newspaper published this article?",
        "Who calls the shots in the Russia-Ukraine war, according to Zhang?",
        "What did Putin say about his visit?",
        "Which city is known for its sand dunes?",
        "When Putin arrived, who met him?",
        "What is the Galileo system and why is it important?",
        "When did Shell announce it was leaving Alaska?",
        "What is throat cancer?",
        "ushakov press conference focus",
        "In which city did Putin arrive?",
        "普京什么时候访问朝鲜？",
    ],
)
def test_a_standalone_question_is_not_rewritten(question: str) -> None:
    assert not depends_on_context(question, [VISIT])
    assert rewritings(question, [VISIT]) == []


def test_without_a_turn_before_it() -> None:
    assert not depends_on_context("Where did he go after that?", [])
    assert rewritings("Where did he go after that?", []) == []


def test_turns_are_tuples_of_two_or_three() -> None:
    expected = ["When was Putin's visit?", "When did Putin arrive? When was his visit?"]
    assert rewritings("When was his visit?", [("When did Putin arrive?", "")]) == expected
    assert rewritings("When was his visit?", [("When did Putin arrive?", "", "")]) == expected


ODD = [
    "",
    "   ",
    "?",
    "it " * 200,
    "why " * 250,
    "of X " * 200,
    "\ud800 he?",
    "他去哪里了？",
    r"Who is \1 (Smith\g<0>)[*?",
    "A." * 500,
    "e\u0301 he \u202e\x00?",
]


@pytest.mark.parametrize("question", ["Where is he from?", "Why?", "And in 2019?", *ODD])
def test_odd_questions_and_histories(question: str) -> None:
    for earlier in ODD:
        history = [Turn(earlier, earlier, earlier)] * 3
        found = rewritings(question, history)
        assert len(found) <= MAX_REWRITINGS
        assert question.strip() not in found
        assert all(found)


def test_a_name_is_inserted_verbatim() -> None:
    history = after(r"Who is \1 Smith\g<0> C++?")
    assert rewritings("Where is he from?", history)[0] == r"Where is \1 Smith\g<0> C from?"


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("When did Putin visit North Korea?", ["Putin", "North Korea"]),
        (
            "What is the history of the Bronze Age collapse?",
            ["the history", "the Bronze Age collapse"],
        ),
        ("Is Red Bull bad for you?", ["Red Bull"]),
        ("Is throat cancer treatable?", ["throat cancer"]),
        ("Does the Museum of Art open?", ["the Museum of Art"]),
        ("How can I begin learning Norwegian?", ["Norwegian"]),
        ("Which city did Putin see?", ["Putin", "city"]),
        ("What did he do there?", []),
    ],
)
def test_the_phrases_of_a_question(text: str, phrases: list[str]) -> None:
    assert [mention.text for mention in mentions(text)] == phrases
