"""A workspace: a project folder and everything derived from it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tailor.answers import AnswerStore
from tailor.assistant import Assistant, digest
from tailor.benchmark import Benchmark, Question, Split
from tailor.config import Config
from tailor.documents.passages import Passage, Splitter
from tailor.errors import NotApplicable, TailorError
from tailor.scale.place import Place
from tailor.spending import Spending

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from tailor.answer_format import AnswerFormat
    from tailor.answers_imported import ImportedAnswers
    from tailor.benchmarking.assignment import Assignment
    from tailor.benchmarking.check import Report
    from tailor.benchmarking.drafting import Drafted
    from tailor.benchmarking.leakage import Guard
    from tailor.benchmarking.splitting import By
    from tailor.benchmarking.stats import Stats
    from tailor.cleaning import Cleaning
    from tailor.documents.curation import CurationReport
    from tailor.documents.embedding import Vector
    from tailor.documents.filters import Filters
    from tailor.documents.index import Index
    from tailor.documents.ingest import IngestReport
    from tailor.exporting.answers import ExportedAnswers
    from tailor.models.chat import Chat
    from tailor.models.limiter import Limiter
    from tailor.retrieval import collection
    from tailor.rows import Row
    from tailor.run import Run
    from tailor.running import Progress
    from tailor.scoring.target import Target
    from tailor.stage import Stage
    from tailor.training.forecast import Forecast
    from tailor.training.lessons import Lessons

Span = tuple[str, int, int]


class Workspace:
    """A folder with ``knowledge/``, perhaps a ``tailor.toml``, and ``.tailor/`` made from both.

    Raises:
        TailorError: the folder does not exist, or its tailor.toml is broken.
    """

    def __init__(self, root: str | Path = ".", settings: Mapping[str, Any] | None = None) -> None:
        self.root = Path(os.path.expanduser(root)).resolve()
        if not self.root.is_dir():
            raise TailorError(f"There is no folder {self.root}; make one with `tailor init DIR`.")
        config = Config.load(self.root / "tailor.toml")
        self.config = config.with_values(settings, "--set") if settings else config
        self.knowledge = self.root / "knowledge"
        self.state = self.root / ".tailor"
        self.progress: Callable[[str, int, int], None] | None = None
        """Told by stages how far long work has come: what, done, total."""
        self.note: Callable[[str], None] | None = None
        """Told by stages what they left out and why, a sentence each."""
        self.place = Place()
        """Where models are asked, texts embedded and files read."""
        self.builds = True
        """False: an artifact that is not there is refused, not built."""
        self.spending = Spending()
        """Adds up what the calls of this workspace's chat models cost."""
        self.foreseen: list[tuple[str, float | None]] | None = None
        """A list takes in the models that a service would make, with the US dollars it is paid."""
        self.forecasts: list[Forecast] | None = None
        """A list takes in what the trainings would take that stages have not done yet."""
        self.used_artifacts: list[str] = []
        """The names of the artifacts that stages asked for, in order."""

    @cached_property
    def answers(self) -> AnswerStore:
        """Every model call and every answer of this workspace."""
        return AnswerStore(self.state / "answers.db")

    @cached_property
    def benchmark(self) -> Benchmark:
        """The questions in ``knowledge/benchmark.jsonl``, or the items that tailor.toml names."""
        if self.config.task == "answer":
            return Benchmark.load(self.knowledge / "benchmark.jsonl")
        from tailor.prediction.items import load

        return load(self.root, self.config.task, self.config.items)

    @cached_property
    def target(self) -> Target:
        """The task, with what its scores are taken against."""
        from tailor.scoring.target import Target

        return Target.of(self.benchmark, self.config.items)

    @cached_property
    def training(self) -> tuple[Question, ...]:
        """The questions in ``knowledge/training.jsonl``: to learn from, never scored."""
        from tailor.benchmarking.waiting import training

        return training(self.knowledge)

    def forget_benchmark(self) -> None:
        """Read the benchmark again when it is next needed: its file was changed."""
        for name in ("benchmark", "target", "training", "spans", "_guards"):
            self.__dict__.pop(name, None)

    def forget_documents(self) -> None:
        """Open the index and look for the evidence anew when next needed: the documents changed."""
        self._indexes.clear()
        self.__dict__.pop("spans", None)

    @cached_property
    def embeddings(self) -> Embeddings:
        """The embedder that tailor.toml names, loaded once."""
        return self._embeddings(self.config.embedder)

    @property
    def splitter(self) -> Splitter:
        """How documents are cut into passages."""
        config = self.config
        return Splitter(config.passage_size, config.passage_overlap, config.passage_strategy)

    def ingest(
        self,
        paths: Sequence[Path] | None = None,
        progress: Callable[[str, int, int], None] | None = None,
        dry_run: bool = False,
        retry: bool = False,
        on: str = "",
    ) -> IngestReport:
        """Read, split, embed and index what changed in ``knowledge/``.

        With ``dry_run`` it is only listed what would happen. With ``retry`` files that were refused
        or empty are read again although they did not change. A table that is a copy of the
        benchmark is refused. Once the index is current, the enrichers of tailor.toml go through
        what they do not know yet; what they fail over is told and refuses nothing. ``on`` names
        the Ray cluster that does the work: see `tailor.scale.place.Place.on`.
        """
        from tailor.ingestion import ingest

        with self.place.on(on):
            return ingest(self, paths, progress, dry_run, retry)

    def curation(self) -> CurationReport:
        """What the ingested documents are like, and what somebody should look at.

        It is kept in ``.tailor/reports/curation.json`` too, where the interface finds it.
        """
        from tailor.documents.curation import curate
        from tailor.documents.tokens import TokenCounter
        from tailor.models.token_counts import token_count
        from tailor.run import write_json

        counter = TokenCounter(token_count(self.embeddings))
        report = curate(self.state, lambda text: counter.lengths(text).before[-1])
        write_json(self.state / "reports" / "curation.json", report.to_json())
        return report

    def index(self, splitter: Splitter | None = None, embedder: str = "") -> Index:
        """The current index generation, or one with other passages or another embedder.

        Another one is built when first asked for. After an ingestion, by this process or another,
        it is the new one.

        Raises:
            TailorError: nothing has been ingested yet.
        """
        from tailor.documents import generation
        from tailor.documents.index import open_index

        splitter, embedder = splitter or self.splitter, embedder or self.config.embedder
        key = generation.current(self.state), splitter, embedder
        if key not in self._indexes:
            for old in [other for other in self._indexes if other[0] != key[0]]:
                self._indexes.pop(old, None)
            vary = embedder != self.config.embedder
            self._indexes[key] = open_index(
                self.state,
                self.embedder(embedder),
                embedder,
                splitter,
                vary,
                self.config.chroma_url,
            )
        return self._indexes[key]

    def cut(self, splitter: Splitter, embedder: str = "") -> tuple[list[Passage], Vector]:
        """All passages, cut in another way, with their vectors; builds no index."""
        from tailor.documents.building import cut
        from tailor.documents.corpus import searched

        name = embedder or self.config.embedder
        return cut(self.state, searched(self.state), self.embedder(name), name, splitter)

    def embedder(self, name: str = "") -> Embeddings:
        """The embedder of this name, loaded once; the workspace's own without one."""
        if name in ("", self.config.embedder):
            return self.embeddings
        if name not in self._embedders:
            self._embedders[name] = self._embeddings(name)
        return self._embedders[name]

    def _embeddings(self, name: str) -> Embeddings:
        from tailor.models.embedder import embeddings
        from tailor.models.provider import embedder_url

        url, limiter = embedder_url(self.config), self.limiter(name)
        return embeddings(name, url, self.config, limiter, self.place)

    @cached_property
    def _embedders(self) -> dict[str, Embeddings]:
        return {}

    @property
    def generation(self) -> str | None:
        """The name of the generation that ``index()`` opens, found without opening it.

        None where there is no index, or one of another embedder.
        """
        from tailor.documents.generation import current_name

        return current_name(self.state, self.config.embedder, self.splitter)

    @cached_property
    def _indexes(self) -> dict[tuple[Path | None, Splitter, str], Index]:
        return {}

    def search(self, question: str, k: int = 5, filters: Filters | None = None) -> list[Passage]:
        """The passages closest to a question, of the documents admitted; asks no model."""
        return self.index().search(question, k=k, filters=filters)

    def collections(self, names: Sequence[str]) -> tuple[collection.Collection, ...]:
        """The collections of these names, as tailor.toml describes them.

        Raises:
            UsageError: there is no such collection.
        """
        from tailor.errors import UsageError
        from tailor.retrieval.collection import collections

        known = collections(self.config.collections)
        if missing := [name for name in names if name not in known]:
            there = f"there are {', '.join(known)}" if known else "tailor.toml has none"
            raise UsageError(
                f"There is no collection {missing[0]!r}, {there}: add [collections.{missing[0]}]."
            )
        return tuple(known[name] for name in names)

    @cached_property
    def spans(self) -> Mapping[str, tuple[Span, ...]]:
        """Where the evidence of each question stands: document and character span, by id."""
        from tailor.documents.located import located

        return located(self.state, (*self.training, *self.benchmark.questions))

    def draft(
        self,
        n: int = 80,
        model: str | None = None,
        language: Literal["en", "vi"] | None = None,
        kinds: Sequence[str] = (),
        training: bool = False,
        seed: int = 0,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> Drafted:
        """Draft questions from the documents; see `tailor.benchmarking.drafting.draft`."""
        from tailor.benchmarking.drafting import draft

        return draft(self, n, model, language, kinds, training, seed, progress)

    def drafts(self) -> tuple[Question, ...]:
        """The questions that wait for approval."""
        from tailor.benchmarking.waiting import drafts

        return drafts(self.knowledge)

    def add_drafts(self, questions: Sequence[Question]) -> None:
        """Let questions wait for approval."""
        from tailor.benchmarking.waiting import add

        with self._drafting():
            add(self.knowledge, questions)

    def approve(self, ids: Collection[str]) -> tuple[Question, ...]:
        """Let drafts count: as benchmark questions, or to train on where they were drafted so."""
        from tailor.benchmarking.waiting import approve

        with self._drafting():
            return approve(self.knowledge, ids)

    def discard(self, ids: Collection[str]) -> tuple[Question, ...]:
        """Delete drafts."""
        from tailor.benchmarking.waiting import discard

        with self._drafting():
            return discard(self.knowledge, ids)

    @contextmanager
    def _drafting(self) -> Iterator[None]:
        """Keep other processes from the files of questions, and read them anew afterwards."""
        from filelock import FileLock

        self.state.mkdir(parents=True, exist_ok=True)
        with FileLock(self.state / "drafts.lock"):
            yield
        self.forget_benchmark()

    def guard(self, *splits: Split) -> Guard:
        """What finds questions that give away those of these splits."""
        from tailor.benchmarking.leakage import Guard

        if splits not in self._guards:
            items = self.config.task != "answer"
            self._guards[splits] = Guard(self.benchmark.split(*splits), items)
        return self._guards[splits]

    @cached_property
    def _guards(self) -> dict[tuple[Split, ...], Guard]:
        return {}

    @property
    def missing_evidence(self) -> tuple[str, ...]:
        """A sentence for each piece of evidence that the ingested documents do not hold."""
        from tailor.documents.corpus import documents
        from tailor.documents.evidence import spans

        questions = [q for q in self.benchmark.questions if q.evidence]
        texts = documents(self.state) if questions else {}
        return tuple(s for q in questions for s in spans(q, texts)[1])

    @property
    def quoted_questions(self) -> tuple[str, ...]:
        """A sentence for each ingested document that holds test questions word for word."""
        from tailor.ingestion import quoted

        return quoted(self)

    def chat(self, model: str | None = None, adapter: Path | None = None) -> Chat:
        """A chat model whose calls are kept in this workspace."""
        from tailor.models.provider import chat

        name = model or self.config.model
        limiter = self.limiter(name)
        return chat(name, self.config, self.answers, adapter, self.spending, limiter, self.place)

    def limiter(self, model: str) -> Limiter:
        """What holds back the calls to a model's provider, shared by all who call it."""
        from tailor.models.limiter import Limiter

        provider = model.partition(":")[0]
        if provider not in self._limiters:
            self._limiters[provider] = Limiter(
                self.config.requests_per_minute,
                self.config.tokens_per_minute,
                self.state / "logs" / "retries.jsonl",
            )
        return self._limiters[provider]

    @cached_property
    def _limiters(self) -> dict[str, Limiter]:
        return {}

    def root_assistant(self, model: str | None = None) -> Assistant:
        """The plain model, before any stage."""
        return Assistant(model=self.chat(model), format=self.format)

    @property
    def format(self) -> AnswerFormat:
        """How answers are read: as a text, a number or a label, by the task."""
        from tailor.answer_format import AnswerFormat

        items = self.config.items
        if self.config.task == "number":
            money = "" if items.unit else items.currency
            return AnswerFormat("number", currency=money, unit=items.unit)
        if self.config.task == "label":
            return AnswerFormat("label", labels=self.benchmark.labels)
        return AnswerFormat(pattern=self.config.answer_pattern or None)

    def artifact(self, kind: str, key: object, build: Callable[[Path], None]) -> Path:
        """The folder that ``build`` fills, made once for each ``key`` (any JSON value).

        ``build`` gets an empty folder; it is moved into place only when ``build`` returns, so that
        an interrupted build leaves nothing half done. Two processes never build the same at once.
        What the build took is written beside what it made: see `tailor.cost.timed`.

        Raises:
            NotApplicable: it is not there, and ``builds`` is False.
            TailorError: it is damaged.
        """
        from tailor.artifact import built

        target = self.artifact_folder(kind, key)
        self.used_artifacts.append(target.name)
        if not self.builds and not target.is_dir():
            raise NotApplicable(
                f"What this row needs ({kind}) is not prepared, or its settings or data changed "
                "since: run the row first."
            )
        return built(target, build, self.spending)

    def artifact_folder(self, kind: str, key: object) -> Path:
        """Where the artifact of this key lies, or would lie."""
        return self.state / "artifacts" / f"{kind}-{digest(key)}"

    def export_answers(
        self, path: str | Path, rows: Sequence[str] = (), name: str = ""
    ) -> ExportedAnswers:
        """Write rows with their answers into a file; see `tailor.exporting.answers`."""
        from tailor.exporting.answers import export_answers

        return export_answers(self, Path(path), rows, name)

    def import_answers(self, path: str | Path, name: str = "") -> ImportedAnswers:
        """Take in another machine's rows, asking nothing; see `tailor.answers_imported`."""
        from tailor.answers_imported import import_answers

        return import_answers(self, Path(path), name)

    def clean(self, drop: bool = False) -> Cleaning:
        """What ``.tailor`` keeps without need; deleted with ``drop``."""
        from tailor.cleaning import clean

        return clean(self, drop)

    @property
    def own_stages(self) -> Path | None:
        """Where the workspace's own stages lie, if tailor.toml lets them be loaded."""
        return self.root / "stages" if self.config.workspace_stages else None

    def stage(self, name: str, settings: Mapping[str, Any] | None = None) -> Stage:
        """The stage of this name or row with the settings of tailor.toml, then those given.

        A row ``STAGE:LABEL`` has the settings of its stage, then what its label stands for (see
        `Stage.labelled`), then its own.

        Raises:
            UsageError: there is no such stage or setting, or tailor.toml names a stage that there
                is not.
        """
        from tailor.rows import stage_of

        return stage_of(self, name, settings)

    def climb(
        self,
        stages: Sequence[Stage] | Sequence[Row],
        model: str | None = None,
        carry: str = "previous",
        progress: Progress | None = None,
        repeats: int = 1,
        max_cost: float | None = None,
        on: str = "",
    ) -> list[Run]:
        """Apply the stages in order and score each on the benchmark; see `tailor.ladder.climb`.

        ``on`` names the Ray cluster that does the work: see `tailor.scale.place.Place.on`.
        """
        from tailor.ladder import climb

        with self.place.on(on):
            return climb(self, stages, model, carry, progress, repeats, max_cost)

    def check(self, ask: bool = False, model: str | None = None) -> Report:
        """Everything that is wrong with the benchmark; see `tailor.benchmarking.check.check`."""
        from tailor.benchmarking.check import check

        return check(self, ask=ask, model=model)

    def lessons(self, row: str = "fine_tuning", model: str | None = None) -> Lessons:
        """What a row that trains would learn from; see `tailor.training.row_lessons`."""
        from tailor.training.row_lessons import row_lessons

        return row_lessons(self, row, model)

    def split(
        self,
        shares: Mapping[Split, float] | None = None,
        seed: int = 0,
        reassign: bool = False,
        by: By = "document",
    ) -> Assignment:
        """Record a split in the benchmark; see `tailor.benchmarking.assignment.split`."""
        from tailor.benchmarking.assignment import split

        return split(self, shares, seed, reassign, by)

    def stats(self) -> Stats:
        """What the benchmark is made of; see `tailor.benchmarking.stats.stats`."""
        from tailor.benchmarking.stats import stats

        return stats(self)

    def runs(self) -> list[Run]:
        """The newest run of every row and model, in the ladder's order."""
        from tailor.run import newest_runs

        return newest_runs(self)
