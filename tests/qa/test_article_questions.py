"""The 44 questions on the article: what is asked of the real thing, end to end."""

import json

from qa import open_article
from qa.types import Turn
from tests.conftest import ROOT

FLOOR = 36


def test_enough_of_the_44_are_right(encoder, reader, tmp_path) -> None:
    article = open_article(encoder=encoder, reader=reader, index=tmp_path)
    lines = (ROOT / "tests/data/article_questions.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [json.loads(line) for line in lines]
    assert len(asked) == 44
    wrong = []
    for one in asked:
        history = [Turn(question) for question in one.get("history", [])]
        answer = article.ask(one["question"], history=history)
        if answer.best is not None:
            assert article.document.text[answer.best.start : answer.best.end].strip()
        if one["answers"]:
            shown = (answer.text or "").replace("’", "'")
            right = any(a.replace("’", "'") in shown for a in one["answers"])
        else:
            right = answer.abstained
        if not right:
            wrong.append(f"{one['question']} -> {answer.text}")
    assert len(asked) - len(wrong) >= FLOOR, "\n".join(wrong)
