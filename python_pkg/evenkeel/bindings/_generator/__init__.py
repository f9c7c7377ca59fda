"""Makes typed bindings from compiled ABIs."""

from evenkeel.bindings._generator.errors import GeneratorError
from evenkeel.bindings._generator.external import generate_external
from evenkeel.bindings._generator.write import Generated, generate_ours

__all__ = ["Generated", "GeneratorError", "generate_external", "generate_ours"]
