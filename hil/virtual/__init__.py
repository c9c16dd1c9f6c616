"""The virtual bench: an Arduino platform whose boards are QEMU machines, and their launcher.

Standard library only: `arduino-cli upload` and `board list` run it with any python3.
Nothing outside this folder knows that a board is virtual.
"""
