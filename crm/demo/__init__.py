"""The demo factory: an invented plant with a believable day, the same every time.

``load`` reads the tables in ``data/`` through the same import that users have, then lets the story
happen through the same services: orders of past weeks are entered, made and shipped at their time.
"""
