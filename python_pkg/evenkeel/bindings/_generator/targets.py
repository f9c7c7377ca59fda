"""Which contracts have bindings. The one place to add one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A binding class and the artifact it is made from."""

    name: str
    artifact: str


OURS = (
    Target("AaveV3LendingVenue", "AaveV3LendingVenue.sol/AaveV3LendingVenue.json"),
    Target("AccessManager", "AccessManager.sol/AccessManager.json"),
    Target("Authority", "Authority.sol/Authority.json"),
    Target("ChainlinkSource", "ChainlinkSource.sol/ChainlinkSource.json"),
    Target("CuriePerpVenue", "CuriePerpVenue.sol/CuriePerpVenue.json"),
    Target("ERC20", "IERC20Metadata.sol/IERC20Metadata.json"),
    Target("Fees", "Fees.sol/Fees.json"),
    Target("LendingVenue", "ILendingVenue.sol/ILendingVenue.json"),
    Target("LyraOptionVenue", "LyraOptionVenue.sol/LyraOptionVenue.json"),
    Target("LyraVol", "LyraVol.sol/LyraVol.json"),
    Target("Marks", "Marks.sol/Marks.json"),
    Target("OptionVenue", "IOptionVenue.sol/IOptionVenue.json"),
    Target("OracleAdapter", "OracleAdapter.sol/OracleAdapter.json"),
    Target("PerpVenue", "IPerpVenue.sol/IPerpVenue.json"),
    Target("PriceSource", "IPriceSource.sol/IPriceSource.json"),
    Target("PythSource", "PythSource.sol/PythSource.json"),
    Target("RebalanceJudge", "RebalanceJudge.sol/RebalanceJudge.json"),
    Target("RedeemQueue", "RedeemQueue.sol/RedeemQueue.json"),
    Target("RiskGuard", "RiskGuard.sol/RiskGuard.json"),
    Target("SpotVenue", "ISpotVenue.sol/ISpotVenue.json"),
    Target("SyncedVol", "ISyncedVol.sol/ISyncedVol.json"),
    Target("UniswapV3SpotVenue", "UniswapV3SpotVenue.sol/UniswapV3SpotVenue.json"),
    Target("UniswapV3TwapSource", "UniswapV3TwapSource.sol/UniswapV3TwapSource.json"),
    Target("Valuer", "Valuer.sol/Valuer.json"),
    Target("Vault", "Vault.sol/Vault.json"),
    Target("VaultLens", "VaultLens.sol/VaultLens.json"),
    Target("Venue", "IVenue.sol/IVenue.json"),
    Target("VenueActs", "VenueActs.sol/VenueActs.json"),
    Target("VolOracle", "VolOracle.sol/VolOracle.json"),
    Target("VolSource", "IVolSource.sol/IVolSource.json"),
    Target("WriteOffs", "WriteOffs.sol/WriteOffs.json"),
)
