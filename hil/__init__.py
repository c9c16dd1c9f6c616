"""Hardware-in-the-loop tests for TinyML models on microcontrollers."""
