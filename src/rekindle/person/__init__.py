"""One person under treatment: who they are, what they were given, how they were rated.

`read_person` reads a file (YAML, JSON or a FHIR bundle), `write_person` writes one back.
"""

from rekindle.person.file import parse_person, read_person
from rekindle.person.record import Given, Level, Person, Planned, Rated, Vital
from rekindle.person.writing import person_yaml, write_person

__all__ = [
    "Given",
    "Level",
    "Person",
    "Planned",
    "Rated",
    "Vital",
    "parse_person",
    "person_yaml",
    "read_person",
    "write_person",
]
