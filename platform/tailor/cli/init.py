"""``tailor init``."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperCommand

SAMPLES = ("company", "prices", "tickets")


class Command(TyperCommand):
    """Lets ``--sample`` stand without a name, for the company."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words of the command line."""
        if "--sample" in args:
            at = args.index("--sample")
            if at + 1 == len(args) or not _names_sample(args, at + 1):
                args = [*args[:at], "--sample=company", *args[at + 1 :]]
        return super().parse_args(ctx, args)


def _names_sample(args: list[str], at: int) -> bool:
    """Whether the word is a sample's name, or neither an option nor the only folder."""
    others = [word for place, word in enumerate(args) if place != at and not word.startswith("-")]
    return args[at] in SAMPLES or (not args[at].startswith("-") and bool(others))


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new workspace's folder.")],
    sample: Annotated[
        Literal["company", "prices", "tickets"] | None,
        typer.Option(
            "--sample",
            help="Fill it with a sample: of a company's documents (without a name), of products "
            "with prices, or of customer requests.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make a new workspace."""
    from tailor.cli.common import say
    from tailor.cli.hints import here
    from tailor.initialize import initialize

    workspace = initialize(folder, sample)
    if sample is None:
        say(
            f"{workspace.root} is ready. Next: put documents into {folder / 'knowledge'}, then "
            f"tailor ingest{here(folder)}"
        )
    elif sample == "company":
        say(f"{workspace.root} holds the sample company. Next: tailor ingest{here(folder)}")
    else:
        what = "products with prices" if sample == "prices" else "customer requests"
        say(f"{workspace.root} holds a sample of {what}. Next: tailor run all{here(folder)}")
