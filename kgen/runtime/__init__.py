"""From a caption to a PNG by an exported LiteRT file, without TensorFlow."""
