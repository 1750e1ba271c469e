"""What `ipvi export` and `ipvi measures` read: people as the classifier holds them. Nothing of any victim."""

from services.cli.research.people import Element, Given, Person, newest, people, person

__all__ = ["Element", "Given", "Person", "newest", "people", "person"]
