"""The wheel and the source distribution: what is in them, and that they are equal wherever they are built."""
