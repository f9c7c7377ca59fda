// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Valuation} from "../guard/IValuer.sol";
import {Limits} from "../guard/IRiskGuard.sol";
import {VenueConfig} from "../IVault.sol";
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

/// @notice One venue. Arrays of other kinds are empty; `readable` is false and they are all empty when a read reverted, with
/// the revert data in `failure`.
struct VenueState {
    address venue;
    Kind kind;
    bytes32 protocol;
    VenueConfig config;
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
}

/// @notice Everything a decision needs, of one block. `lossLeft` is what the guard's bucket still lets calls lose, a fraction of low NAV
/// at 1e18 like `maxLossPerCall` and `maxLossPerDay`; `waiting` the shares in the redeem queue.
struct VaultState {
    uint256 chainId;
    uint256 blockNumber;
    uint256 timestamp;
    uint256 baseFee;
    address vault;
    address asset;
    uint8 assetDecimals;
    uint8 shareDecimals;
    uint256 idle;
    uint256 totalSupply;
    uint256 totalAssets;
    uint256 maxLossPerCall;
    uint256 maxLossPerDay;
    uint256 lossLeft;
    uint256 waiting;
    Valuation valuation;
    UnderlyingState[] underlyings;
    VenueState[] venues;
}
