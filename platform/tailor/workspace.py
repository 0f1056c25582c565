"""A workspace: a project folder and everything derived from it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tailor.answers import AnswerStore
from tailor.assistant import Assistant, digest
from tailor.benchmark import Benchmark, Question, Split
from tailor.config import Config
from tailor.documents.passages import Passage, Splitter
from tailor.errors import NotApplicable, TailorError
from tailor.fault import hit
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
    from tailor.documents.enriching import Enriched
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
    from tailor.scale.reading import FarBox
    from tailor.scoring.target import Target
    from tailor.stage import Stage
    from tailor.training.forecast import Forecast
    from tailor.training.lessons import Lessons

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
        with self.place.on(on):
            return self._ingest(paths, progress, dry_run, retry)

    def _ingest(
        self,
        paths: Sequence[Path] | None,
        progress: Callable[[str, int, int], None] | None,
        dry_run: bool,
        retry: bool,
    ) -> IngestReport:
        from tailor.benchmarking.quoting import copy_check
        from tailor.documents.activity import announced, keep_report
        from tailor.documents.ingest import forget_refused, ingest
        from tailor.documents.recordings import recordings
        from tailor.documents.sources import sources
        from tailor.models.embedder import parted

        parted(self.config.embedder)  # a wrong name is told before anything is read

        def read(told: Callable[[str, int, int], None] | None) -> IngestReport:
            return ingest(
                self.knowledge,
                self.state,
                lambda: self.embeddings,
                self.config.embedder,
                self.splitter,
                paths=paths,
                progress=told,
                withheld=copy_check(self._all_questions()),
                recordings=recordings(self.config, lambda: self.answers, told),
                sources=sources(self.config.sources, self.root),
                dry_run=dry_run,
                box=self._far_box(),
                server=self.config.chroma_url,
            )

        if dry_run:
            planned = read(progress)
            ingested = (self.state / "documents.db").exists()
            return replace(planned, quoted=self.quoted_questions) if ingested else planned
        if retry:
            forget_refused(self.state)
        with announced(self.state, progress) as told:
            report = read(told)
            self._indexes.clear()
            self.__dict__.pop("spans", None)
            report = replace(report, stale=self._stale(), quoted=self._quoted(keep=True))
            keep_report(self.state, report.to_json())
            if enriched := self._enriched(paths, told):
                report = replace(report, enriched=enriched)
                keep_report(self.state, report.to_json())
        self._indexes.clear()
        return report

    def _far_box(self) -> FarBox | None:
        """What parses files on the workers of the cluster that is connected."""
        if self.place.cluster is None:
            return None
        from tailor.scale.reading import FarBox

        return FarBox(self.place)

    def _enriched(
        self, paths: Sequence[Path] | None, told: Callable[[str, int, int], None]
    ) -> tuple[Enriched, ...]:
        """Have the enrichers of tailor.toml go through what is indexed by now."""
        if not self.config.enrich and not (self.state / "enrichments.db").exists():
            return ()
        from tailor.documents.enrichers.enricher import enrichers
        from tailor.documents.enriching import enrich
        from tailor.documents.walk import below

        only = None if paths is None else [below(self.knowledge, path) for path in paths]
        return enrich(self.state, enrichers(self.config.enrich), only, told)

    def _stale(self) -> tuple[str, ...]:
        """A sentence for each question whose evidence is gone; none where there is no benchmark."""
        try:
            return self.missing_evidence
        except TailorError:
            return ()

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
        from tailor.documents.index import searched

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
        from tailor.documents.evidence import spans
        from tailor.documents.index import documents

        questions = [q for q in self.benchmark.questions if q.evidence]
        texts = documents(self.state) if questions else {}
        return tuple(s for q in questions for s in spans(q, texts)[1])

    @property
    def quoted_questions(self) -> tuple[str, ...]:
        """A sentence for each ingested document that holds test questions word for word."""
        return self._quoted(keep=False)

    def _quoted(self, keep: bool) -> tuple[str, ...]:
        from tailor.benchmarking.quoting import quoted
        from tailor.documents.index import documents

        if not (questions := self._all_questions()):
            return ()
        file = self.state / "reports" / "quoted.json"
        return quoted(questions, documents(self.state), file, keep)

    def _all_questions(self) -> tuple[Question, ...]:
        """The questions as the file has them now; none where it cannot be read."""
        try:
            return Benchmark.load(self.knowledge / "benchmark.jsonl").questions
        except TailorError:
            return ()

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
        from filelock import FileLock

        from tailor.artifact import check
        from tailor.cost import timed

        target = self.artifact_folder(kind, key)
        self.used_artifacts.append(target.name)
        if target.is_dir():
            return check(target)
        if not self.builds:
            raise NotApplicable(
                f"What this row needs ({kind}) is not prepared, or its settings or data changed "
                "since: run the row first."
            )
        home = target.parent
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / f"{target.name}.lock"):
            if not target.is_dir():
                hit("artifact.before")
                building = Path(tempfile.mkdtemp(dir=home, prefix="building-"))
                try:
                    with timed(building, self.spending):
                        build(building)
                    hit("artifact.part")
                    building.rename(target)
                    hit("artifact.after")
                finally:
                    shutil.rmtree(building, ignore_errors=True)
        return target

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
        import difflib

        from tailor.errors import UsageError
        from tailor.stage import broken_plugins, stage_types

        types = stage_types(self.own_stages)
        file, config = self.root / "tailor.toml", self.config
        named = [(f"{file}: [stages.{other}]: there", other) for other in config.stages]
        named += [(f"{file} or --set: ladder: there", other) for other in config.ladder]
        named += [(f"{file}: [builds_on]: there", other) for other in config.builds_on]
        for there, wanted in [*named, ("There", name)]:
            kind = wanted.partition(":")[0]
            if kind in types:
                continue
            if reason := broken_plugins().get(kind):
                raise UsageError(f"{there} is no stage {kind!r}: {reason}")
            near = difflib.get_close_matches(kind, types, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(types)}."
            raise UsageError(f"{there} is no stage {kind!r}; {hint}")
        kind, _, label = name.partition(":")
        told = types[kind].settings_of(label)
        own = config.stages.get(kind, {}), told, config.stages.get(name, {}), settings or {}
        return types[kind].with_settings({k: v for values in own for k, v in values.items()})

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
        from tailor.benchmarking.splitting import SHARES

        return split(self, shares or SHARES, seed, reassign, by)

    def stats(self) -> Stats:
        """What the benchmark is made of; see `tailor.benchmarking.stats.stats`."""
        from tailor.benchmarking.stats import stats

        return stats(self)

    def runs(self) -> list[Run]:
        """The newest run of every row and model, in the ladder's order."""
        from tailor.run import newest_runs

        return newest_runs(self)
