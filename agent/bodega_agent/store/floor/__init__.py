"""The floor in the store: sessions, what a code means, each flow's facts and effects in a file of its own."""
