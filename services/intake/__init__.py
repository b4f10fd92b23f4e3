"""The intake service: every way in, the public look-up, the catalogue."""
