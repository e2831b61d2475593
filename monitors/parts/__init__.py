"""What several kinds of monitor share; nothing here is a kind."""
