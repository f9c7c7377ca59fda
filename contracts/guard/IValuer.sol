// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Exposure} from "../venues/IVenue.sol";

/// @notice A price interval used in a valuation, asset units a whole token at 1e18.
struct PricePoint {
    address underlying;
    uint256 low;
    uint256 mid;
    uint256 high;
    uint256 updatedAt;
}

/// @notice A vol interval used in a valuation, at 1e18.
struct VolPoint {
    address underlying;
    uint64 expiry;
    uint256 low;
    uint256 mid;
    uint256 high;
    uint256 updatedAt;
}

/// @notice A venue's part of a valuation.
/// @param priced False when its book could not be read: the others are then 0.
/// @param gross  Price x |delta|, summed over its exposures; what is long here and short at another venue counts at both.
struct VenueValue {
    address venue;
    bool priced;
    int256 mid;
    uint256 halfWidth;
    uint256 gross;
}

/// @notice The whole vault at shared price points, asset units at 1e18.
/// @param priced    Every venue and every underlying was priced.
/// @param low       Mid less the netted width, idle included; unpriced venues count as zero.
/// @param mid       Idle plus the venues' mids.
/// @param high      Mid plus the netted width.
/// @param exposures Netted over venues, one an (underlying, expiry), pending orders excluded.
/// @param pending   One entry a pending order, as if it filled whole.
struct Valuation {
    bool priced;
    int256 low;
    int256 mid;
    int256 high;
    uint256 idle;
    Exposure[] exposures;
    Exposure[] pending;
    PricePoint[] prices;
    VolPoint[] vols;
    VenueValue[] venues;
}

/// @title IValuer: a vault's net asset value as an interval that nets
interface IValuer {
    /// @notice More exposures than the valuer nets.
    error TooManyExposures(uint256 count, uint256 maximum);
    /// @notice A read failed with less gas than it is owed, so the failure says nothing of the venue; send more gas.
    error GasTooLow(uint256 available, uint256 needed);

    /// @notice Values `vault` now. Never reverts because of a venue, oracle or vol source: what cannot be read makes
    /// `priced` false.
    function value(address vault) external view returns (Valuation memory);

    /// @notice As `value`, as if `venue` were the only one of `vault`.
    function valueVenue(address vault, address venue) external view returns (Valuation memory);

    /// @notice The value of `venue` in `valueVenue`, asset units at 1e18.
    function venueMid(address vault, address venue) external view returns (bool priced, int256 mid);

    /// @notice The interval of `value(vault)` alone.
    function interval(address vault) external view returns (bool priced, int256 low, int256 mid, int256 high);
}
