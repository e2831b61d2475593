"""The nouns: frozen and inert; verbs stand above them."""
