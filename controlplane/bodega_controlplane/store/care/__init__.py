"""What an operator does with a whole database: look at it, check it, copy it, tidy it. `bodegactl db` calls it."""
