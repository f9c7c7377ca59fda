"""`evenkeel bindings`: make the typed wrappers of contracts from their compiled ABIs."""

import argparse

from evenkeel.bindings._generator import GeneratorError, generate_external, generate_ours


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="<action>")
    generate = actions.add_parser("generate", help="write evenkeel/bindings from compiled contracts")
    generate.add_argument(
        "--check", action="store_true", help="write nothing; fail when what is there differs"
    )
    generate.add_argument(
        "--external", action="store_true", help="the protocols' own contracts instead, from their packages"
    )


def run(args: argparse.Namespace) -> int:
    """Generate, or compare."""
    generated = generate_external() if args.external else generate_ours()
    if args.check:
        differences = generated.differences()
        if differences:
            raise GeneratorError(f"bindings: {'; '.join(differences)}; run `evenkeel bindings generate`")
        print("bindings are up to date")
        return 0
    changed = generated.write()
    print(f"{len(generated.files)} files, {len(changed)} changed: {generated.folder}")
    return 0
