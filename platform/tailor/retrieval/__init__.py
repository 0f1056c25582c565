"""Ways of finding passages: what can be set, how scores become a ranking, and which way is best."""
