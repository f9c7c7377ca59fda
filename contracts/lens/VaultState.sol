// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Valuation} from "../guard/IValuer.sol";
import {Limits} from "../guard/IRiskGuard.sol";
import {VenueConfig} from "../IVault.sol";
import {OracleAdapter} from "../oracle/OracleAdapter.sol";
import {Book, Kind, Margin} from "../venues/IVenue.sol";
import {SpotHolding} from "../venues/spot/ISpotVenue.sol";
import {PerpPosition} from "../venues/perp/IPerpVenue.sol";
import {Listing, OptionPosition, OptionTerms} from "../venues/option/IOptionVenue.sol";
import {LendingAccount} from "../venues/lending/ILendingVenue.sol";

/// @notice Margin of one unit; `health` at 1e18.
struct UnitState {
    uint256 unit;
    Margin margin;
    uint256 health;
}

/// @notice One venue. Arrays of other kinds are empty. When a read reverted, `readable` is false, the revert data is in `failure`, and of the
/// rest only `units` and `optionTerms` are filled, where these at least can be read. `frozen`: by the guardian.
struct VenueState {
    address venue;
    Kind kind;
    bytes32 protocol;
    VenueConfig config;
    bool frozen;
    bool readable;
    bytes failure;
    Book book;
    UnitState[] units;
    SpotHolding[] spot;
    PerpPosition[] perps;
    OptionPosition[] options;
    Listing[] listings;
    OptionTerms optionTerms;
    LendingAccount[] lending;
}

/// @notice Limits of one underlying as the guard holds them, with the token's own description and our oracle's quote of it.
/// @param failure Why there is no quote, the oracle's revert data; for the asset why it has no dollar price.
/// @param breaker The circuit breaker of the token, for the asset of its dollar price; `jump` 0 where there is none.
/// @param readAt  While the breaker counts rounds, when the token's newest reading was made.
struct UnderlyingState {
    address token;
    string symbol;
    uint8 decimals;
    bool priced;
    uint256 low;
    uint256 mid;
    uint256 high;
    uint256 updatedAt;
    Limits limits;
    bytes failure;
    OracleAdapter.Breaker breaker;
    uint256 readAt;
}

/// @notice The redeem queue; all zero where the vault has none. `waiting` in shares, `requests` what `process` may look at, `maxWidth` a fraction of
/// mid at 1e18, `claimable` in the asset's decimals, out of the vault already.
struct QueueState {
    address queue;
    uint256 waiting;
    uint256 requests;
    uint256 maxWidth;
    uint256 claimable;
}

/// @notice A venue's stored vol that widens one vol of the valuation, and when it was stored; 0 for never.
struct VenueVolState {
    address venue;
    address underlying;
    uint64 expiry;
    uint256 syncedAt;
}

/// @notice Everything a decision needs, of one block. `lossLeft` is what the guard's bucket still lets calls lose, a fraction of low NAV
/// at 1e18 like `maxLossPerCall` and `maxLossPerDay`.
struct VaultState {
    uint256 chainId;
    uint256 blockNumber;
    uint256 timestamp;
    uint256 baseFee;
    address vault;
    address oracle;
    address asset;
    uint8 assetDecimals;
    uint8 shareDecimals;
    uint256 idle;
    uint256 totalSupply;
    uint256 totalAssets;
    uint256 maxLossPerCall;
    uint256 maxLossPerDay;
    uint256 lossLeft;
    QueueState queue;
    Valuation valuation;
    UnderlyingState[] underlyings;
    VenueState[] venues;
    VenueVolState[] venueVols;
}
