"""A slice as EIP-712 typed data: what signers sign and the oracle recovers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from web3 import Web3

from evenkeel.vol.errors import SignatureError

if TYPE_CHECKING:
    from eth_account.messages import SignableMessage
    from eth_typing import ChecksumAddress

    from evenkeel.bindings.types import Slice

NAME: Final = "Evenkeel VolOracle"
VERSION: Final = "1"
FIELDS: Final = (
    ("underlying", "address"),
    ("expiry", "uint64"),
    ("timestamp", "uint64"),
    ("forward", "uint128"),
    ("a", "int64"),
    ("b", "uint64"),
    ("rho", "int64"),
    ("m", "int64"),
    ("sigma", "uint64"),
)
_SIGNATURE_BYTES: Final = 65


@dataclass(frozen=True, slots=True)
class Domain:
    """Which oracle a signature is for."""

    chain_id: int
    contract: ChecksumAddress

    def message(self, slice_: Slice) -> SignableMessage:
        """Return the typed data of `slice_`, ready to be signed."""
        return encode_typed_data(full_message=self.document(slice_))

    def document(self, slice_: Slice) -> dict[str, Any]:
        """Return the typed data of `slice_` as the JSON document that `eth_signTypedData_v4` takes."""
        return {
            "types": {
                "EIP712Domain": [
                    {"name": "name", "type": "string"},
                    {"name": "version", "type": "string"},
                    {"name": "chainId", "type": "uint256"},
                    {"name": "verifyingContract", "type": "address"},
                ],
                "Slice": [{"name": name, "type": type_} for name, type_ in FIELDS],
            },
            "primaryType": "Slice",
            "domain": {
                "name": NAME,
                "version": VERSION,
                "chainId": self.chain_id,
                "verifyingContract": self.contract,
            },
            "message": asdict(slice_),
        }

    def signer(self, slice_: Slice, signature: bytes) -> ChecksumAddress:
        """Return who signed `slice_`. Raises `SignatureError` where `signature` is none of any account."""
        if len(signature) != _SIGNATURE_BYTES:
            raise SignatureError(f"signature: expected {_SIGNATURE_BYTES} bytes, got {len(signature)}")
        try:
            found: str = Account.recover_message(self.message(slice_), signature=signature)
        except (BadSignature, ValidationError, ValueError):
            raise SignatureError(f"signature 0x{signature.hex()}: no account signs so") from None
        return Web3.to_checksum_address(found)
