"""Pure decoders and encoders of what devices say: bytes in, values out; no clock, no random, no I/O."""
