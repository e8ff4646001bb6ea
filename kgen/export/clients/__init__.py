"""Examples of clients of TensorFlow Serving: each stands alone, and is copied beside a model."""
