"""The reference pages under ``docs/reference``, made from the code.

``python -m streams.reference_docs`` writes them. They say what the topic map, the fields and
docstrings of the messages, the units and the settings say; a test holds the committed pages to it.
"""
