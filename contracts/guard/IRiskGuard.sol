// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Valuation} from "./IValuer.sol";

/// @notice A closed range; a value outside is a breach by its distance to the nearer end.
struct Range {
    int256 min;
    int256 max;
}

/// @notice Limits of one underlying. Delta is a fraction of low NAV at 1e18; the others are asset units at 1e18 in reporting
/// units: gamma for a 1% move, vega a vol point, theta a day.
struct Limits {
    Range delta;
    Range gamma;
    Range vega;
    Range theta;
}

enum Measure {
    Delta,
    Gamma,
    Vega,
    Theta
}

/// @title IRiskGuard: what a vault's operations must satisfy
interface IRiskGuard {
    /// @notice The call could lose more than is allowed; asset units at 1e18.
    error LossTooLarge(uint256 loss, uint256 maximum);
    /// @notice The call could lose more than is left of the vault's budget; asset units at 1e18.
    error BudgetExceeded(uint256 loss, uint256 left);
    /// @notice A function that can only lower a number was given one that is not lower.
    error NotLower(uint256 value, uint256 current);
    /// @notice `measure` of `underlying` ends outside its range and is not on its way back.
    error LimitBreached(address underlying, Measure measure, int256 value, int256 min, int256 max);
    /// @notice An exposure to a token without limits would grow.
    error NoLimits(address underlying);
    /// @notice A unit ends under its venue's minimum health; both at 1e18.
    error UnitUnhealthy(address venue, uint256 unit, uint256 health, uint256 minimum);
    /// @notice A venue ends above its share of NAV; both asset units at 1e18.
    error CapExceeded(address venue, uint256 value, uint256 cap);
    /// @notice What is under an id, or was posted to it, is above its cap; both asset units at 1e18.
    error IdCapExceeded(bytes32 id, uint256 value, uint256 cap);
    /// @notice More was turned over in a day than is allowed; both asset units at 1e18.
    error TurnoverExceeded(uint256 turnover, uint256 maximum);
    /// @notice Perps ended at more gross exposure than is allowed; both asset units at 1e18.
    error GrossTooLarge(uint256 gross, uint256 maximum);
    /// @notice The guardian froze the venue.
    error VenueFrozen(address venue);
    /// @notice Only the guard's own `acts` may call this.
    error OnlyActs(address caller);
    /// @notice Only `vault`, or the judge that it names, may call this for it.
    error OnlyVault(address caller, address vault);
    /// @notice A price or a venue is missing, so nothing can be judged and nothing is allowed.
    error Unpriced();

    event LimitsSet(address indexed underlying, Limits limits);
    event MaxLossPerCallSet(uint256 fraction);
    event MaxLossPerDaySet(uint256 fraction);
    event MaxLossPerReduceSet(uint256 fraction);
    event MaxTurnoverSet(uint256 fraction);
    event MaxPerpGrossSet(uint256 fraction);
    event CapSet(bytes32 indexed id, uint256 absolute, uint256 relative);
    /// @notice A loss (asset units at 1e18) filled the bucket of `vault` to `level` (a fraction of low NAV at 1e18).
    event Charged(address indexed vault, uint256 loss, uint256 level);

    /// @notice JUDGE of `vault`. Reverts with a typed error unless `vault` may go from `before` to `afterwards`; charges the loss to its
    /// bucket. State is kept by vault, and a vault names its own judge: who lies deceives itself alone.
    /// @param touched The venues that were called, each once.
    /// @param posted  What of idle each of `touched` took less what it gave, asset units at 1e18.
    /// @return loss   `cornerLoss(before, afterwards)`.
    function check(
        address vault,
        Valuation calldata before,
        Valuation calldata afterwards,
        address[] calldata touched,
        int256[] calldata posted
    ) external returns (uint256 loss);

    /// @notice `vault` or its JUDGE. A loss of `vault` that its marks do not explain, at `lowNav`; asset units at 1e18. Never reverts for its
    /// numbers; fills the bucket, at most to the brim.
    function charge(address vault, uint256 loss, int256 lowNav) external;

    /// @notice How full the bucket of `vault` is and what is left of it, fractions of low NAV at 1e18.
    function budget(address vault) external view returns (uint256 level, uint256 left);

    /// @notice The same of what is kept for top-ups once the bucket is full.
    function reserve(address vault) external view returns (uint256 level, uint256 left);

    /// @notice The price of `token` that was accepted in a rebalance of `vault`, and when: replaced when it is an hour old. 0, 0: never.
    function lastPrice(address vault, address token) external view returns (uint256 mid, uint256 at);

    /// @notice What judges what is done outside a rebalance: an `IVenueActs`, made with this guard.
    function acts() external view returns (address);

    /// @notice The last accepted low NAV of `vault` at `idle` (asset units at 1e18): idle and the venues' part of the low after the last
    /// rebalance, moved by what went there and came back since. At least 0, and at most the low after that rebalance: what came to idle
    /// since may have been counted there.
    function lastLow(address vault, uint256 idle) external view returns (uint256);

    /// @notice ACTS. A top-up of `vault` at `nav` took `spent` of idle and posted what is worth `worth`: charges the loss, counts the
    /// flow, reverts where neither caps nor `TOP_UP_FLOOR` allow it.
    function toppedUp(address vault, address venue, uint256 spent, uint256 worth, uint256 nav)
        external
        returns (uint256 loss);

    /// @notice ACTS. Reducing or freeing margin at `nav` lost `loss` and took `flow` of idle: charges the one, to the calls' bucket or to
    /// the guardian's, and counts the other.
    function eased(address vault, address venue, int256 flow, uint256 loss, uint256 nav, bool byKeeper) external;

    /// @notice ACTS. Charges a tip of `vault`, at most `most` and half of what top-ups may still lose.
    function tipped(address vault, uint256 most, uint256 nav) external returns (uint256 tip);

    /// @notice The caps of `id`, in asset units and as a fraction of low NAV, both at 1e18; the greatest uint128 where there is none.
    function cap(bytes32 id) external view returns (uint256 absolute, uint256 relative);

    /// @notice What `vault` posted to `id`, net, over the window; asset units at 1e18.
    function netPosted(address vault, bytes32 id) external view returns (uint256);

    /// @notice The id of a venue's value.
    function venueId(address venue) external pure returns (bytes32);
    /// @notice The id of the value of all venues of a protocol.
    function protocolId(bytes32 protocol) external pure returns (bytes32);
    /// @notice The id of an underlying or quote token.
    function tokenId(address token) external pure returns (bytes32);
    /// @notice The id of an expiry of an underlying.
    function expiryId(address token, uint64 expiry) external pure returns (bytes32);

    /// @notice The charge of a change: over the price and vol corners, the most that value falls; at 1e18.
    function cornerLoss(Valuation calldata before, Valuation calldata afterwards) external pure returns (uint256);

    function limits(address underlying) external view returns (Limits memory);

    /// @notice Tokens that have limits, at most `MAX_UNDERLYINGS`.
    function underlyings() external view returns (address[] memory);

    /// @notice The capacity of the bucket, and the most that one call may lose; a fraction of low NAV at 1e18.
    function maxLossPerCall() external view returns (uint256);

    /// @notice What may be lost in a day beside a full bucket; a fraction of low NAV at 1e18.
    function maxLossPerDay() external view returns (uint256);

    /// @notice What the guardian's reductions may cost, and what of that comes back in a day; a fraction of low NAV at 1e18.
    function maxLossPerReduce() external view returns (uint256);

    /// @notice The most that may be turned over in a day; a fraction of low NAV at 1e18.
    function maxTurnover() external view returns (uint256);

    /// @notice The most gross exposure of all perp venues together; a fraction of low NAV at 1e18.
    function maxPerpGross() external view returns (uint256);
}
