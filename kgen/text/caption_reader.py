"""What of a caption a model can follow, by the tokens that it is read as."""

from abc import abstractmethod
from collections.abc import Sequence

from kgen.text import vocabulary as vocabularies


class CaptionReader:
    """What tokenizers of any runtime say of a caption.

    Attributes:
        vocabulary: Tokens in the order of their ids; `[PAD]` first, `[UNK]` second.
        caption_length: L, tokens a caption is cut or padded to.
    """

    vocabulary: Sequence[str]
    caption_length: int

    @abstractmethod
    def tokens(self, caption: str) -> list[tuple[int, str]]:
        """(id, text under it) of all the tokens that a caption is read as, were L endless."""

    def unknown_words(self, caption: str) -> list[str]:
        """Names the words of a caption that become `[UNK]`, in lower case and in their order."""
        return [word for token_id, word in self.tokens(caption) if token_id == 1]

    def unseen_words(self, caption: str) -> list[str]:
        """Names the words of a caption that the vocabulary lacks, and of which it knows no more
        than pieces of one or two letters: no training has seen them, or none twice.
        """
        words: list[list[tuple[str, str]]] = []
        for token_id, text in self.tokens(caption):
            token = self.vocabulary[token_id]
            if words and token.startswith(vocabularies.SUFFIX):
                words[-1].append((token, text))
            else:
                words.append([(token, text)])
        return [
            "".join(text for _, text in pieces)
            for pieces in words
            if pieces[0][0] == vocabularies.UNKNOWN
            or (len(pieces) > 1 and all(len(text) < 3 for _, text in pieces))
        ]

    def unread(self, caption: str) -> str:
        """What of a caption lies beyond `caption_length` tokens and is not read: its next three
        tokens, in lower case; empty if all is read.
        """
        beyond = self.tokens(caption)[self.caption_length :]
        return " ".join(word for _, word in beyond[:3])
