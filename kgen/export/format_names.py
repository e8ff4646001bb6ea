"""The names of the formats that models are exported to, in the order of their use."""

FORMATS = ("saved_model", "litert", "web", "onnx")
