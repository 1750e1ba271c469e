"""A made-up county, for demos, training, tests and load; seeded, of any size, in flat memory. Nobody in it is real.

`people` are as they are, `records` what agencies wrote down of them (with the truth beside).
"""

from services.cli.simulate.people import Person, people
from services.cli.simulate.records import Mistakes, Record, population, records

__all__ = ["Mistakes", "Person", "Record", "people", "population", "records"]
