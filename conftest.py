"""Loads the harness for runs from a checkout; where it is installed, its entry point (of the same
name) has done so already."""

pytest_plugins = ["hil.plugin"]
