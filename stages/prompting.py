"""Tells the model what is wanted of it, and how to reply."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from tailor.assistant import Assistant
from tailor.errors import NotApplicable, UsageError
from tailor.prompting import wording
from tailor.prompting.files import MARK, prompt_text
from tailor.settings import setting
from tailor.stage import Stage
from tailor.workspace import Workspace

INSTRUCTIONS = wording.instructions("brief", "en")
"""What the model is told where no setting says otherwise."""


@dataclass(frozen=True)
class Prompting(Stage):
    """Give the model instructions."""

    first: ClassVar[tuple[str, ...]] = (
        "instructions", "language", "style", "form", "reasoning", "variants",
    )  # fmt: skip

    instructions: str = setting(
        "", "what the model is told, or file:prompts/NAME.md; empty: Tailor's own instructions",
        long=True,
    )  # fmt: skip
    language: Literal["en", "vi", "question"] = setting(
        "en", "language of the instructions: English, Vietnamese, or that of the question"
    )
    style: Literal["brief", "sentence", "steps"] = setting(
        "brief", "how Tailor's own instructions ask to answer: brief, one full sentence, or steps"
    )
    form: str = setting(
        "", "the form of answers in words; auto: as the answer pattern or the labels have it"
    )
    placement: Literal["system", "user"] = setting(
        "system", "where the instructions stand; user: for models without a system message"
    )
    reasoning: bool = setting(False, "think first; the answer is taken from the end of the reply")
    structured: bool = setting(
        False, "reply with an answer and a quote as JSON, by schema where the model knows that"
    )
    tools: bool = setting(
        False, "let the model calculate, and look things up in tables of the passages"
    )
    rounds: int = setting(3, "how often the model may use a tool for one question", low=1, high=10)
    variants: tuple[str, ...] = setting(
        (), "prompts to try on dev, as file:prompts/NAME.md or style=steps; the best one is kept",
        empty=True,
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse variants that are neither a prompt file nor another value of a setting.

        Raises:
            UsageError: one is not, or a setting is out of bounds.
        """
        super().__post_init__()
        for variant in self.variants:
            self._varied(variant)

    @property
    def chooses(self) -> bool:
        """Whether a prompt is chosen by the metrics, on dev."""
        return bool(self.variants)

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """The same assistant under these instructions, or under the variant that did best on dev.

        Raises:
            UsageError: a prompt file is missing.
            NotApplicable: there are variants, and no dev questions to try them on.
        """
        own = replace(self, variants=())
        stages = [own, *map(self._varied, self.variants)]
        assistants = [stage._told(assistant, workspace) for stage in stages]
        if len(assistants) == 1:
            return assistants[0]
        return assistants[self._chosen(assistants, workspace)]

    def calls(self, workspace: Workspace) -> int:
        """Each dev question with each variant, and as often more as tools may be used."""
        if not self.variants:
            return 0
        dev = len(workspace.benchmark.split("dev"))
        stages = [self, *map(self._varied, self.variants)]
        return sum(dev * (stage.rounds + 2 if stage.tools else 1) for stage in stages)

    def recorded(self, workspace: Workspace) -> Stage:
        """With the texts of prompt files in place of their names: files may change later."""
        named = [variant.removeprefix("instructions=") for variant in self.variants]
        texts = tuple(
            f"instructions={prompt_text(workspace.root, name)}" if name.startswith(MARK) else own
            for own, name in zip(self.variants, named, strict=True)
        )
        told = prompt_text(workspace.root, self.instructions)
        return replace(self, instructions=told, variants=texts)

    def _varied(self, variant: str) -> "Prompting":
        name, sign, value = variant.partition("=")
        if variant.startswith(MARK):
            name, value = "instructions", variant
        elif not sign or name == "variants":
            raise UsageError(
                f"prompting.variants: {variant!r} is neither file:prompts/NAME.md nor a setting "
                "of prompting with a value, such as style=steps."
            )
        varied = type(self).with_settings({**self.settings(), "variants": (), name: value})
        assert isinstance(varied, Prompting)
        return varied

    def _told(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        languages = wording.LANGUAGES if self.language == "question" else (self.language,)
        text = prompt_text(workspace.root, self.instructions)
        each = {
            lang: wording.in_language(text, lang) or self._own(assistant, lang)
            for lang in languages
        }
        more = {lang: self._about_form(assistant, lang) for lang in languages}
        return replace(
            assistant,
            instructions=wording.both(each),
            format=replace(
                assistant.format,
                instruction=wording.both(more),
                placement=self.placement,
                reasoning=self.reasoning,
                structured=self.structured,
                tools=self.tools,
                rounds=self.rounds if self.tools else assistant.format.rounds,
            ),
        )

    def _own(self, assistant: Assistant, language: wording.Language) -> str:
        """Tailor's own instructions; the style is that of answers, not of numbers and labels."""
        format = assistant.format
        if format.kind == "text":
            return wording.instructions(self.style, language)
        return wording.prediction(format.labels, format.currency, format.unit, language)

    def _about_form(self, assistant: Assistant, language: wording.Language) -> str:
        format = assistant.format
        said = [wording.in_language(self.form, language)]
        if self.form == "auto":
            said = [wording.form(format.kind, format.pattern, format.labels, language)]
        if self.structured:
            said.append(wording.structured(self.reasoning, language))
        elif self.reasoning:
            said.append(wording.REASONING[language])
        return " ".join(part for part in said if part)

    def _chosen(self, assistants: list[Assistant], workspace: Workspace) -> int:
        from tailor.benchmarking.leakage import sift
        from tailor.scoring.score import METRIC_VERSION
        from tailor.trial import simplest, try_on

        dev = sift(workspace, "prompting", workspace.benchmark.split("dev"), "test")
        if not dev:
            raise NotApplicable(
                "prompting.variants are tried on dev questions, and the benchmark has none: add "
                'questions with "split": "dev".'
            )
        names = ("the prompt as set", *self.variants)

        def build(folder: Path) -> None:
            trials, target = [], workspace.target
            for at, (name, one) in enumerate(zip(names, assistants, strict=True), 1):
                trials.append(try_on(one, dev, f"Prompt variant {name[:60]}", target))
                if workspace.progress:
                    workspace.progress("try prompts", at, len(names))
            tried = [
                {"name": name, "mean": trial.mean, "tokens": trial.tokens}
                for name, trial in zip(names, trials, strict=True)
            ]
            found = {"chosen": simplest(trials), "tried": tried}
            (folder / "prompts.json").write_text(json.dumps(found), "utf-8")

        asked = [[q.id for q in dev], workspace.benchmark.digest, METRIC_VERSION]
        key = [[one.fingerprint for one in assistants], asked]
        folder = workspace.artifact("prompts", key, build)
        found = json.loads((folder / "prompts.json").read_text("utf-8"))
        if workspace.note is not None:
            told = ", ".join(f"{one['name'][:60]} {one['mean']:.3f}" for one in found["tried"])
            workspace.note(f"prompting kept {names[found['chosen']][:60]} on dev ({told}).")
        return int(found["chosen"])
