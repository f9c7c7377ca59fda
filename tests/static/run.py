"""Runs Slither over our contracts and fails on a finding that `answers.toml` does not answer: `make slither`.

It fails too when a contract of ours was not seen (a compiler that went wrong quietly shows as a clean report), and when an answer
no longer meets a finding: what is answered must be there.
"""

import os
import re
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from slither import Slither
from slither.detectors import all_detectors
from slither.detectors.abstract_detector import AbstractDetector, DetectorClassification

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / ".evenkeel" / "slither"
# Other people's code, and what exists for local chains only.
OUTSIDE = ["node_modules/", "contracts/interfaces/", "contracts/sandbox/"]
SERIOUS = (DetectorClassification.HIGH, DetectorClassification.MEDIUM, DetectorClassification.LOW)
DECLARED = re.compile(r"^(?:abstract )?(?:contract|library|interface) (\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a detector said of one place: `Contract.function`, `Contract.variable` or `Contract`."""

    check: str
    impact: str
    place: str
    text: str


def main() -> None:
    found, contracts = analyse()
    unseen = sorted(declared() - contracts)
    answers = tomllib.loads((HERE / "answers.toml").read_text())["answer"]
    used: Counter[int] = Counter()
    unanswered = []
    for finding in found:
        at = next((i for i, answer in enumerate(answers) if meets(answer, finding)), None)
        if at is None:
            unanswered.append(finding)
        else:
            used[at] += 1
    idle = [answer for i, answer in enumerate(answers) if not used[i]]
    print(
        f"slither saw {len(contracts)} contracts; {len(found)} findings, {len(found) - len(unanswered)} answered"
    )
    for finding in unanswered:
        print(f"\n{finding.check} ({finding.impact}) at {finding.place}, not answered:\n{finding.text}")
    for answer in idle:
        print(f"\nan answer that meets no finding: {answer['check']} at {answer['places']}")
    if unseen:
        print(f"\nnot seen: {', '.join(unseen)}")
    sys.exit(bool(unanswered or idle or unseen or not contracts))


def analyse() -> tuple[list[Finding], set[str]]:
    """Compile into a folder of its own and return the findings and the names of the contracts."""
    os.chdir(ROOT)
    os.environ["FOUNDRY_OUT"] = str(BUILD / "out")
    os.environ["FOUNDRY_CACHE_PATH"] = str(BUILD / "cache")
    project = Slither(".", foundry_out_directory=str(BUILD / "out"), filter_paths=OUTSIDE)
    # By name, as Slither's own command does: its detectors of reentrancy share what they find, and find less in another order.
    for name in dir(all_detectors):
        detector = getattr(all_detectors, name)
        if (
            isinstance(detector, type)
            and issubclass(detector, AbstractDetector)
            and detector.IMPACT in SERIOUS
        ):
            project.register_detector(detector)
    raw = [result for results in project.run_detectors() for result in results]
    return [finding_of(result) for result in raw], {contract.name for contract in project.contracts}


def finding_of(result: dict) -> Finding:
    first = result["elements"][0]
    names = [first["name"]]
    while first := first.get("type_specific_fields", {}).get("parent"):
        if first["type"] in {"contract", "function"}:
            names.insert(0, first["name"])
    return Finding(result["check"], result["impact"], ".".join(names), result["description"].strip())


def meets(answer: dict, finding: Finding) -> bool:
    return answer["check"] == finding.check and any(
        place in {"*", finding.place} or finding.place.startswith(f"{place}.") for place in answer["places"]
    )


def declared() -> set[str]:
    """The names of what our own files declare."""
    ours = (
        p for p in (ROOT / "contracts").rglob("*.sol") if not any(part in p.as_posix() for part in OUTSIDE)
    )
    return {name for path in ours for name in DECLARED.findall(path.read_text())}


if __name__ == "__main__":
    main()
