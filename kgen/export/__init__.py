"""From a trained model to files that servers and phones run, each proven in its runtime."""
