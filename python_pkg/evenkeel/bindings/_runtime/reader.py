"""Creation code that makes static calls and returns what they answered: `eth_call` runs it and deploys nothing.

After the loop below stand records of (address: 20 bytes, length: 4 bytes, calldata). The answer is, a record, (success: 32
bytes, length: 32 bytes, return or revert data).
"""

from __future__ import annotations

from collections.abc import Sequence

MAX_CREATION_CODE = 49_152
"""Bytes; EIP-3860."""

# N is the size of the records, S that of this code. The stack is shown after each line, its top on the right.
_LOOP = """
62 N  60 S  60 00  39       # copy the records to memory 0
62 N  60 00                 # out in
5b                          # next:
80  62 N  11  60 B  57      # out in                         to body while in < N
62 N  82  03  62 N  f3      # return memory from N to out
5b                          # body:
80  51  60 60  1c           # out in to
81  60 14  01  51  60 e0  1c  # out in to length
82  60 18  01               # out in to length data
60 00  60 00  83  83  86  5a  fa  # out in to length data ok  (static call, nothing copied)
85  52                      # out in to length data           memory[out] = ok
3d  85  60 20  01  52       # the same                        memory[out + 32] = size returned
3d  60 00  86  60 40  01  3e  # the same                      the returned data at out + 64
01  91  50  50              # out in'                         in' = data + length
90  3d  01  60 40  01  90   # out' in'                        out' = out + 64 + size returned
60 L  56                    # to next
"""


def _assemble() -> str:
    words = [word for line in _LOOP.splitlines() for word in line.partition("#")[0].split()]
    at, labels = 0, []
    for word in words:
        if word == "5b":
            labels.append(at)
        at += 3 if word == "N" else 1
    patched = {"S": f"{at:02x}", "L": f"{labels[0]:02x}", "B": f"{labels[1]:02x}", "N": "{size:06x}"}
    return "".join(patched.get(word, word) for word in words)


_TEMPLATE = _assemble()


def reader_code(calls: Sequence[tuple[str, bytes]]) -> bytes:
    """Creation code that calls each (address, calldata) in order."""
    records = b"".join(bytes.fromhex(to[2:]) + len(data).to_bytes(4) + data for to, data in calls)
    return bytes.fromhex(_TEMPLATE.format(size=len(records))) + records
