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

/// @notice Health at 1e18 of one margin unit of one venue.
struct UnitHealth {
    address venue;
    uint256 unit;
    uint256 health;
}

enum Measure {
    Delta,
    Gamma,
    Vega,
    Theta
}

/// @title IRiskGuard: what a rebalance must satisfy
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
    /// @notice A price or a venue is missing, so nothing can be judged and nothing is allowed.
    error Unpriced();

    event LimitsSet(address indexed underlying, Limits limits);
    event MaxLossPerCallSet(uint256 fraction);
    event MaxLossPerDaySet(uint256 fraction);
    /// @notice A loss (asset units at 1e18) filled the bucket of `vault` to `level` (a fraction of low NAV at 1e18).
    event Charged(address indexed vault, uint256 loss, uint256 level);

    /// @notice Reverts with a typed error unless the calling vault may go from `before` to `afterwards`; charges the loss to its
    /// bucket. State is kept by caller: who lies deceives itself alone.
    /// @param touched     The venues that were called; their units' health is read again.
    /// @param posted      What of idle each of `touched` took less what it gave, in wei of the asset.
    /// @param unitsBefore `healths(touched)` from before the calls.
    /// @return loss `cornerLoss(before, afterwards)`.
    function check(
        Valuation calldata before,
        Valuation calldata afterwards,
        address[] calldata touched,
        int256[] calldata posted,
        UnitHealth[] calldata unitsBefore
    ) external returns (uint256 loss);

    /// @notice Reverts with a typed error unless a top-up from `before` to `afterwards` is allowed for the calling vault; charges the
    /// loss to its bucket. Limits must not be broken further, but need not be mended: a breach elsewhere must not let a unit be
    /// liquidated.
    /// @return loss `cornerLoss(before, afterwards)`.
    function checkTopUp(Valuation calldata before, Valuation calldata afterwards) external returns (uint256 loss);

    /// @notice The calling vault found a loss that its marks do not explain, at `lowNav`; asset units at 1e18. Never reverts; fills its
    /// bucket, at most to the brim.
    function charge(uint256 loss, int256 lowNav) external;

    /// @notice How full the bucket of `vault` is and what is left of it, fractions of low NAV at 1e18.
    function budget(address vault) external view returns (uint256 level, uint256 left);

    /// @notice The same of what is kept for top-ups once the bucket is full.
    function reserve(address vault) external view returns (uint256 level, uint256 left);

    /// @notice The health of every unit of `venues`.
    function healths(address[] calldata venues) external view returns (UnitHealth[] memory);

    /// @notice The charge of a change: over the price and vol corners, the most that value falls; at 1e18.
    function cornerLoss(Valuation calldata before, Valuation calldata afterwards) external pure returns (uint256);

    function limits(address underlying) external view returns (Limits memory);

    /// @notice Tokens that have limits, at most `MAX_UNDERLYINGS`.
    function underlyings() external view returns (address[] memory);

    /// @notice The capacity of the bucket, and the most that one call may lose; a fraction of low NAV at 1e18.
    function maxLossPerCall() external view returns (uint256);

    /// @notice What may be lost in a day beside a full bucket; a fraction of low NAV at 1e18.
    function maxLossPerDay() external view returns (uint256);
}
