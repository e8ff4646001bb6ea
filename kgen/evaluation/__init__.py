"""Measures of what a trained model draws."""
