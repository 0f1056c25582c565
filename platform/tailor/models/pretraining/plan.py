"""How long and how to train the reader, and how far a run is."""

from __future__ import annotations

from dataclasses import dataclass, field

from tailor.models.pretraining.network import Shape


@dataclass(frozen=True)
class Plan:
    """How long and how to train; ``steps`` > 0 counts steps instead of minutes."""

    minutes: float = 60.0
    steps: int = 0
    seed: int = 0
    batch_tokens: int = 4000  # per worker
    batches_per_block: int = 8
    matrix_rate: float = 5e-4  # Muon, up to the first tenth; from a quarter on the late rate
    late_matrix_rate: float = 1e-3
    vector_rate: float = 4e-3  # AdamW
    warm_up: int = 60
    weight_decay: float = 0.05
    workers: int = 1
    """Processes that train together; on a CUDA device, that write its examples."""
    device: str = "cpu"
    shape: Shape = field(default_factory=Shape)

    @property
    def trainers(self) -> int:
        """Processes that hold the network."""
        return self.workers if self.device == "cpu" else 1


@dataclass
class State:
    """Everything that a checkpoint holds besides weights and optimizer moments."""

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    blocks: int = 0

    def progress(self, plan: Plan) -> float:
        """The share of the plan that is done, 0 to 1."""
        done = self.step / plan.steps if plan.steps else self.seconds / (60 * plan.minutes)
        return min(1.0, done)


def learning_rates(plan: Plan, state: State) -> tuple[float, float]:
    """Muon's and AdamW's: warm-up, constant to half of the plan, then linear decay to 2%."""
    progress = state.progress(plan)
    late = min(1.0, max(0.0, (progress - 0.1) / 0.15))
    matrix_rate = plan.matrix_rate + late * (plan.late_matrix_rate - plan.matrix_rate)
    scale = 1.0 if progress < 0.5 else max(0.02, (1 - progress) / 0.5)
    scale *= min(1.0, (state.step + 1) / plan.warm_up)
    return matrix_rate * scale, plan.vector_rate * scale
