// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice Sensitivities of a position at the oracle's mid price, all at 1e18.
/// @param delta Whole units of the underlying.
/// @param gamma Change of delta for a price move of one whole asset unit.
/// @param vega  Asset units for a change of volatility of 1.00 (100 points).
/// @param theta Asset units a year at constant price and volatility; negative when time costs the holder.
struct Greeks {
    int256 delta;
    int256 gamma;
    int256 vega;
    int256 theta;
}

/// @notice The Greeks of one position or group of positions in one underlying and one expiry.
/// @param underlying The token whose oracle price drives the value. Quote tokens other than the asset count too.
/// @param expiry     Unix seconds; 0 for what does not expire.
struct Exposure {
    address underlying;
    uint64 expiry;
    Greeks greeks;
}

/// @notice The value of a venue at the shared price points, in whole asset units at 1e18.
/// @param mid       Value at the mid of every oracle and vol interval. May be negative.
/// @param halfWidth What netting cannot remove: the venue's own mark against our price, exit fees, model error.
///                  Excludes the width that the oracle and vol intervals cause; the valuer adds that to the netted book.
/// @param exposures One entry an (underlying, expiry), no duplicates, at most `MAX_EXPOSURES`.
struct Book {
    int256 mid;
    uint256 halfWidth;
    Exposure[] exposures;
}

/// @notice The margin of one unit by the venue's own rule and price, in whole asset units at 1e18.
/// @param equity      What the venue counts toward the requirement. May be negative.
/// @param initial     Needed to increase risk.
/// @param maintenance Below this the venue may liquidate. 0 where nothing is owed.
struct Margin {
    int256 equity;
    uint256 initial;
    uint256 maintenance;
}

/// @notice `IVenue.unitHealth` of a unit.
struct UnitHealth {
    uint256 unit;
    uint256 health;
}

enum Kind {
    Spot,
    Perp,
    Option,
    Lending
}

enum Status {
    None,
    Pending,
    Filled,
    Cancelled,
    Failed
}

/// @title IVenue: one vault's position at one protocol, behind one face
/// @notice An adapter belongs to one vault, holds that vault's position and margin at one protocol, and holds nothing
/// for anyone else. A hacked protocol therefore costs at most what this adapter holds.
///
/// SCALES. `assets`, `minPosted`, `minFreed` and return values of `post` and `free` are asset amounts in the asset's own
/// decimals. Values, margins, sizes, prices and fractions are int256 or uint256 at 1e18. A price is asset units for one whole
/// underlying token.
///
/// CASH. The vault's idle asset never rests in an adapter. State-changing functions draw what they need with
/// `IVault.fund` (open only to the venue that the vault is calling) and return what is left to the vault before they
/// end. What an adapter still holds in any token is part of its book.
///
/// CALLERS. Functions marked VAULT revert with `OnlyVault` for any other caller. Views are open to anyone.
///
/// ROUNDING. Always against the vault: `book().mid`, `equity` and amounts returned round down; `halfWidth`, `initial`,
/// `maintenance` and amounts taken round up.
///
/// ASSUMPTIONS. THE PROTOCOL'S TOKENS NEITHER REBASE NOR TAKE A FEE ON TRANSFER, EXCEPT INTEREST-BEARING TOKENS WHICH THE
/// ADAPTER VALUES THROUGH THEIR INDEX. THE PROTOCOL MAY BE HOSTILE; THE ORACLE AND VOL SOURCE ARE NOT.
interface IVenue {
    /// @notice The caller is not the vault that this adapter belongs to.
    error OnlyVault(address caller);
    /// @notice `unit` is not among `marginUnits()`.
    error UnknownUnit(uint256 unit);
    /// @notice `token` or market is not handled by this adapter.
    error UnknownMarket(address market);
    /// @notice An amount came out worse than the caller's limit.
    error BelowMinimum(uint256 amount, uint256 minimum);
    /// @notice A price came out worse than the caller's limit.
    error PriceLimit(uint256 price, uint256 limit);
    /// @notice A fraction is 0 or above 1e18.
    error BadFraction(uint256 fraction);
    /// @notice A size or amount is zero.
    error ZeroAmount();
    /// @notice The protocol's own price feed is older than `maxAge` seconds; actions that need it are refused.
    error VenueStale(uint256 updatedAt, uint256 maxAge);
    /// @notice The adapter has no such action.
    error Unsupported();
    /// @notice What anyone may do waits while the vault is calling its venues: it counts those that it does not call as they were.
    error VaultActing();

    /// @notice Margin reached the venue.
    event Posted(uint256 indexed unit, uint256 assets, uint256 posted);
    /// @notice Margin came back to the vault.
    event Freed(uint256 indexed unit, uint256 assets, uint256 freed);
    /// @notice A position was reduced by `fraction` in an emergency.
    event Reduced(uint256 indexed unit, uint256 fraction, Status status);

    /// @notice The vault this adapter serves. Immutable.
    function vault() external view returns (address);

    /// @notice What this venue trades; says which typed interface it has besides this one. Immutable.
    function kind() external view returns (Kind);

    /// @notice A short ASCII name of the protocol ("uniswap-v3", "aave-v3", "perp-v2", "lyra-v1"); caps group by it.
    function protocol() external view returns (bytes32);

    /// @notice The position valued from our library, our oracle and our vol source, never from the protocol's own
    /// marks except to widen. Pending orders are excluded.
    /// @dev Reverts when the protocol, the oracle or the vol source cannot be read; the vault then treats the venue as
    /// unpriced.
    function book() external view returns (Book memory);

    /// @notice `book()`, and the health of every unit: at one price, and for one reading, where a protocol answers both from the same.
    function standing() external view returns (Book memory, UnitHealth[] memory);

    /// @notice What each pending order would add to the exposures if it filled whole; empty for venues that fill at once.
    /// @dev The guard requires every limit to hold with and without each of them.
    function pending() external view returns (Exposure[] memory);

    /// @notice The units that are margined, and liquidated, apart from each other. A venue margined as a whole has the
    /// single unit 0; one margined by position has a unit a position, by the protocol's own id. Empty with no margin.
    function marginUnits() external view returns (uint256[] memory);

    /// @notice The margin of `unit` by the venue's own rule, at the venue's own price, since that is what liquidates.
    /// @dev Reverts with `UnknownUnit`.
    function margin(uint256 unit) external view returns (Margin memory);

    /// @notice Equity over maintenance of `unit` at 1e18; `type(uint256).max` where maintenance is 0, 0 where equity is
    /// not positive. Rounds down. A lending venue reports its protocol's own health factor.
    function unitHealth(uint256 unit) external view returns (uint256);

    /// @notice The worst `unitHealth`; `type(uint256).max` with no units.
    function health() external view returns (uint256);

    /// @notice VAULT. Draws `assets` from the vault and posts them as margin of `unit`, swapping them into the margin token first
    /// where that differs from the asset.
    /// @param minPosted Least margin that must arrive, in the asset's decimals at the protocol's unit value (1 margin
    /// token = 1 asset unit for dollar tokens).
    /// @return posted What arrived, same scale.
    function post(uint256 unit, uint256 assets, uint256 minPosted) external returns (uint256 posted);

    /// @notice VAULT. Takes margin worth `assets` out of `unit` and sends the asset to the vault.
    /// @param minFreed Least asset amount that must reach the vault.
    /// @return freed What reached the vault.
    function free(uint256 unit, uint256 assets, uint256 minFreed) external returns (uint256 freed);

    /// @notice VAULT. Closes `fraction` of every position in `unit` toward zero, never through it.
    /// @param fraction   1e18 is all.
    /// @param limitPrice Worst price for the trade, in the sense of the kind: for spot and perp the asset price of one
    /// whole underlying; for options the most (least) asset paid (received) a contract; for lending ignored. 0: none.
    function reduce(uint256 unit, uint256 fraction, uint256 limitPrice) external returns (Status);
}
