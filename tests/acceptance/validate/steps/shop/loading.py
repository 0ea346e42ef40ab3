import importlib

from sfml_steps import Context, step

from shop.scorin import score
from shop.train import fit_modle


@step
def load(ctx: Context, kind: str = "linear") -> None:
    importlib.import_module(f"shop.prices.{kind}").fit(score, fit_modle)
