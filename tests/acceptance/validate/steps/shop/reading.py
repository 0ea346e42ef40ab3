from importlib import resources
from pathlib import Path

from sfml_steps import Context, step

import shop.prices


@step
def read(ctx: Context, name: str = "customers.sql") -> list[str]:
    package = resources.files(__package__)
    return [
        (Path(__file__).parent / "customers.sql").read_text(),
        package.joinpath("custmers.sql").read_text(),
        package.joinpath(name).read_text(),
        str(shop.prices),
    ]
