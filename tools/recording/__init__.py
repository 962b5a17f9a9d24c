"""Record conditional HTTP traffic through real servers as labelled diagnosis cases.

``python -m tools.recording --list`` names the cases, ``--only d101`` drives some of them, and no argument
drives all. Every case starts the programs it needs on free loopback ports, plays its story with real
pauses, checks that the story came out as labelled, and writes the recordings below ``cases/driven``.
"""
