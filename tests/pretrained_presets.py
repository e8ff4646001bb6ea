"""Tiny presets of keras-hub with random weights, for tests without a connection."""

import os

import numpy as np

BERT_WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "cat", "dog", "##s", "!",
              "红", "猫", "狗", "蓝", "blue")  # fmt: skip
# Not the numbers that padding and special tokens have elsewhere: 0 is a letter here.
END = "<|endoftext|>"
MERGES = ("r e", "re d", "c a", "ca t", "Ġ cat")


def write_bert(folder):
    """BERT: 2 layers, 2 heads, H = 32, at most 16 tokens."""
    import keras
    import keras_hub

    keras.utils.set_random_seed(1)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=len(BERT_WORDS),
        num_layers=2,
        num_heads=2,
        hidden_dim=32,
        intermediate_dim=64,
        max_sequence_length=16,
    )
    tokenizer = keras_hub.tokenizers.BertTokenizer(vocabulary=list(BERT_WORDS), lowercase=True)
    return _written(folder, _spread_out(backbone), tokenizer)


def write_gpt2(folder):
    """GPT-2, which reads from left to right and whose padding is also its start and its end."""
    import keras
    import keras_hub

    keras.utils.set_random_seed(2)
    tokens = dict.fromkeys((*_letters_of_bytes(), *(m.replace(" ", "") for m in MERGES), END))
    backbone = keras_hub.models.GPT2Backbone(
        vocabulary_size=len(tokens),
        num_layers=2,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        max_sequence_length=16,
    )
    tokenizer = keras_hub.tokenizers.GPT2Tokenizer(
        vocabulary={token: n for n, token in enumerate(tokens)}, merges=list(MERGES)
    )
    return _written(folder, _spread_out(backbone), tokenizer)


def _spread_out(backbone):
    """First weights are near 0, where all tokens say the same; those of a trained model are not."""
    rng = np.random.default_rng(0)
    for variable in backbone.variables:
        variable.assign(variable + 0.1 * rng.standard_normal(variable.shape))
    return backbone


def _written(folder, backbone, tokenizer):
    backbone.save_to_preset(os.fspath(folder))
    tokenizer.save_to_preset(os.fspath(folder))
    return folder


def _letters_of_bytes():
    """The letter by which GPT-2's vocabulary writes each byte: itself if it can be printed."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printed]
    return [*map(chr, printed), *(chr(256 + n) for n in range(len(others)))]
