"""One person under treatment: who they are, what they were given, how they were rated."""
