"""A model as LiteRT files: token ids and noise in, images out, for phones, browsers, small boards.

They take ids, since string operators are in no stock LiteRT runtime, and noise, since what is
drawn in the graph has its seed frozen by the conversion. Their batches are static: an LSTM of
unknown batch needs TensorFlow's own operators, which the stock runtimes refuse, and transposed
convolutions of unknown shape are left out by XNNPACK.
"""
