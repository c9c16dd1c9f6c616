"""The reference models: one folder a model, and the code that trains and converts them."""
