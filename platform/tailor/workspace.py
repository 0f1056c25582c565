"""A workspace: a project folder and everything derived from it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.answers import AnswerStore
from tailor.assistant import Assistant, digest
from tailor.benchmark import Benchmark
from tailor.config import Config
from tailor.documents.passages import Passage, Splitter
from tailor.errors import TailorError

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from tailor.documents.index import Index
    from tailor.documents.ingest import IngestReport
    from tailor.ladder import Progress
    from tailor.models.chat import Chat
    from tailor.run import Run
    from tailor.stage import Stage

Span = tuple[str, int, int]


class Workspace:
    """A folder with ``knowledge/``, an optional ``tailor.toml``, and ``.tailor/`` derived from them.

    Raises:
        TailorError: the folder does not exist, or its tailor.toml is broken.
    """  # noqa: E501

    def __init__(self, root: str | Path = ".", settings: Mapping[str, Any] | None = None) -> None:
        self.root = Path(root).expanduser().resolve()
        if not self.root.is_dir():
            raise TailorError(f"There is no folder {self.root}; make one with `tailor init DIR`.")
        config = Config.load(self.root / "tailor.toml")
        self.config = config.with_values(settings, "--set") if settings else config
        self.knowledge = self.root / "knowledge"
        self.state = self.root / ".tailor"
        self.progress: Callable[[str, int, int], None] | None = None
        """Told by stages how far long work has come: what, done, total."""

    @cached_property
    def answers(self) -> AnswerStore:
        """Every model call and every answer of this workspace."""
        return AnswerStore(self.state / "answers.db")

    @cached_property
    def benchmark(self) -> Benchmark:
        """The questions in ``knowledge/benchmark.jsonl``."""
        return Benchmark.load(self.knowledge / "benchmark.jsonl")

    @cached_property
    def embeddings(self) -> Embeddings:
        """The embedder that tailor.toml names, loaded once."""
        from tailor.models.embedder import embeddings

        return embeddings(self.config.embedder, base_url=self.config.base_url)

    @property
    def splitter(self) -> Splitter:
        """How documents are cut into passages."""
        return Splitter(self.config.passage_size, self.config.passage_overlap)

    def ingest(
        self,
        paths: Sequence[Path] | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> IngestReport:
        """Read, split, embed and index what changed in ``knowledge/``."""
        from tailor.documents.ingest import ingest

        report = ingest(
            self.knowledge,
            self.state,
            self.embeddings,
            self.config.embedder,
            self.splitter,
            paths=paths,
            progress=progress,
        )
        self._indexes.clear()
        self.__dict__.pop("spans", None)
        return report

    def index(self, splitter: Splitter | None = None) -> Index:
        """The current index generation, or one with other passages, built when first asked for.

        Raises:
            TailorError: nothing has been ingested yet.
        """
        from tailor.documents.index import open_index

        splitter = splitter or self.splitter
        if splitter not in self._indexes:
            self._indexes[splitter] = open_index(
                self.state, self.embeddings, self.config.embedder, splitter
            )
        return self._indexes[splitter]

    @cached_property
    def _indexes(self) -> dict[Splitter, Index]:
        return {}

    def search(self, question: str, k: int = 5) -> list[Passage]:
        """The passages closest to a question; asks no model."""
        return self.index().search(question, k=k)

    @cached_property
    def spans(self) -> Mapping[str, tuple[Span, ...]]:
        """Where the evidence of each question stands: document and character span, by id."""
        from tailor.documents.evidence import spans
        from tailor.documents.index import documents

        texts = documents(self.state)
        return {q.id: spans(q, texts)[0] for q in self.benchmark.questions}

    @property
    def missing_evidence(self) -> tuple[str, ...]:
        """A sentence for each piece of evidence that the ingested documents do not hold."""
        from tailor.documents.evidence import spans
        from tailor.documents.index import documents

        texts = documents(self.state)
        return tuple(s for q in self.benchmark.questions for s in spans(q, texts)[1])

    def chat(self, model: str | None = None, adapter: Path | None = None) -> Chat:
        """A chat model whose calls are kept in this workspace."""
        from tailor.models.provider import chat

        return chat(model or self.config.model, self.config, self.answers, adapter)

    def root_assistant(self, model: str | None = None) -> Assistant:
        """The plain model, before any stage."""
        from tailor.assistant import AnswerFormat

        return Assistant(
            model=self.chat(model),
            format=AnswerFormat(pattern=self.config.answer_pattern or None),
        )

    def artifact(self, kind: str, key: object, build: Callable[[Path], None]) -> Path:
        """The folder that ``build`` fills, made once for each ``key`` (any JSON value).

        ``build`` gets an empty folder; it is moved into place only when ``build`` returns, so that
        an interrupted build leaves nothing half done. Two processes never build the same at once.
        """
        from filelock import FileLock

        home = self.state / "artifacts"
        target = home / f"{kind}-{digest(key)}"
        if target.is_dir():
            return target
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / f"{target.name}.lock"):
            if not target.is_dir():
                building = Path(tempfile.mkdtemp(dir=home, prefix="building-"))
                try:
                    build(building)
                    building.rename(target)
                finally:
                    shutil.rmtree(building, ignore_errors=True)
        return target

    @property
    def own_stages(self) -> Path | None:
        """Where the workspace's own stages lie, if tailor.toml lets them be loaded."""
        return self.root / "stages" if self.config.workspace_stages else None

    def stage(self, name: str, settings: Mapping[str, Any] | None = None) -> Stage:
        """The stage of this name with the settings of tailor.toml, then those given.

        Raises:
            UsageError: there is no such stage or setting, or tailor.toml names a stage that there
                is not.
        """
        import difflib

        from tailor.errors import UsageError
        from tailor.stage import stage_types

        types = stage_types(self.own_stages)
        file = self.root / "tailor.toml"
        named = [(f"{file}: [stages.{other}]: there", other) for other in self.config.stages]
        named += [(f"{file} or --set: ladder: there", other) for other in self.config.ladder]
        for there, wanted in [*named, ("There", name)]:
            if wanted not in types:
                near = difflib.get_close_matches(wanted, types, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(types)}."
                raise UsageError(f"{there} is no stage {wanted!r}; {hint}")
        return types[name].with_settings({**self.config.stages.get(name, {}), **(settings or {})})

    def climb(
        self,
        stages: Sequence[Stage],
        model: str | None = None,
        carry: str = "previous",
        progress: Progress | None = None,
    ) -> list[Run]:
        """Apply the stages in order and score each on the benchmark; see `tailor.ladder.climb`."""
        from tailor.ladder import climb

        return climb(self, stages, model=model, carry=carry, progress=progress)

    def runs(self) -> list[Run]:
        """The newest run of every row and model, in the ladder's order."""
        from tailor.run import newest_runs

        return newest_runs(self)


def initialize(root: Path, sample: str | None = None) -> Workspace:
    """Make a new workspace: an empty ``knowledge/`` or a copy of the sample, and a tailor.toml.

    Raises:
        TailorError: the folder already holds a workspace.
    """
    knowledge = root / "knowledge"
    if knowledge.exists() or (root / "tailor.toml").exists():
        raise TailorError(f"{root} is a workspace already; choose another folder.")
    root.mkdir(parents=True, exist_ok=True)
    if sample is None:
        knowledge.mkdir()
        (knowledge / "benchmark.jsonl").touch()
    else:
        shutil.copytree(
            sample_folder(), knowledge, ignore=shutil.ignore_patterns(".*", "__pycache__")
        )
    (root / "tailor.toml").write_text(_TOML, "utf-8")
    ignored = root / ".gitignore"
    before = ignored.read_bytes() if ignored.exists() else b""
    if b".tailor/" not in (line.strip() for line in before.splitlines()):
        ends = b"" if before.endswith(b"\n") or not before else b"\n"
        ignored.write_bytes(before + ends + b".tailor/\n")
    return Workspace(root)


def sample_folder() -> Path:
    """Where the sample company lies: beside this package when installed, else in the repository."""
    package = Path(__file__).parent
    for place in (package / "sample", package.parents[1] / "knowledge"):
        if place.is_dir():
            return place
    raise TailorError("The sample company is missing from this installation: install Tailor again.")


_TOML = """\
# Every key is optional; these are the defaults.
# model = "shipped"            # or "huggingface:PATH", "openai:gpt-5-mini", "ollama:qwen3", ...
# base_url = ""                # of an OpenAI-compatible server, with model = "openai:NAME"
# embedder = "shipped"
# ladder = ["baseline", "prompting", "few_shot", "retrieval", "fine_tuning", "retrieval_tuning"]

# [stages.few_shot]
# shots = 4

# [prices."openai:gpt-5-mini"] # US dollars per million tokens
# input = 0.25
# output = 2.0
"""
