"""``python -m streams.reference_docs``: writes the pages into the working folder."""

from streams.reference_docs.pages import write_pages

if __name__ == "__main__":
    write_pages()
