"""Everything a bench needs besides its boards: tools, libraries and sources, fetched once.

Standard library only, so that ``python3 -m hil.setup`` works before any dependency exists.
Each step first asks whether it has work to do; a second run only asks.
"""
