"""What all reference models share: recipes, training, conversion, vectors, cards, signals."""
