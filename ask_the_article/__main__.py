"""python -m ask_the_article: the same as the command ask-the-article."""

from ask_the_article.cli import main

if __name__ == "__main__":
    main()
