"""Which contracts there are on a chain, and how ours get there."""

from evenkeel.deploy.errors import DeploymentError, DeploymentFileError, ProtocolsError
from evenkeel.deploy.plan import (
    CURATOR,
    GUARDIAN,
    KEEPER,
    SENTINEL,
    UNBOUNDED,
    FeedTerms,
    Roles,
    TwapTerms,
    UnderlyingLimits,
    VaultPlan,
    VenueTerms,
    VolTerms,
)
from evenkeel.deploy.protocols import Aave, Curie, Lyra, Pool, Protocols, Token, Uniswap
from evenkeel.deploy.record import DeploymentFile, Pending, Placed
from evenkeel.deploy.terms import plan_of
from evenkeel.deploy.vault import Deployment, GasEstimate, deploy, estimate, load

__all__ = [
    "CURATOR",
    "GUARDIAN",
    "KEEPER",
    "SENTINEL",
    "UNBOUNDED",
    "Aave",
    "Curie",
    "Deployment",
    "DeploymentError",
    "DeploymentFile",
    "DeploymentFileError",
    "FeedTerms",
    "GasEstimate",
    "Lyra",
    "Pending",
    "Placed",
    "Pool",
    "Protocols",
    "ProtocolsError",
    "Roles",
    "Token",
    "TwapTerms",
    "UnderlyingLimits",
    "Uniswap",
    "VaultPlan",
    "VenueTerms",
    "VolTerms",
    "deploy",
    "estimate",
    "load",
    "plan_of",
]
