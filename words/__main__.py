"""``python -m words``: give each new sentence of the code its place in ``fr.po``, and drop those that are gone."""

from words.catalogue import FRENCH
from words.extraction import read_french, renewed, said

if __name__ == "__main__":
    FRENCH.write_bytes(renewed(read_french(), said()))
