"""Which contracts there are on a chain, and how ours get there."""

from evenkeel.deploy.errors import ProtocolsError
from evenkeel.deploy.protocols import Aave, Curie, Lyra, Pool, Protocols, Token, Uniswap

__all__ = ["Aave", "Curie", "Lyra", "Pool", "Protocols", "ProtocolsError", "Token", "Uniswap"]
