"""Students are tested on the problems that trainings are tested on."""

from tests.pipeline.training.conftest import MakeProblem, make_problem, one_thread

__all__ = ["MakeProblem", "make_problem", "one_thread"]
