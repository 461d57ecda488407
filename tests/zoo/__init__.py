"""Real models: the classes that people run, at the sizes they run them, with inputs like those they see.

`ZOO` names each; building one is slow, so each is built once in a process.
"""

from __future__ import annotations

from tests.zoo import others, pictures, sequences, tables, texts
from tests.zoo.specimen import Specimen as Specimen

ZOO: dict[str, Specimen] = {
    each.name: each for family in (texts, pictures, sequences, tables, others) for each in family.SPECIMENS
}
