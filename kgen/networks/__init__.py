"""G and D as Keras functional models, and the one model that ships."""
