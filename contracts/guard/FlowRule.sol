// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VenueValue} from "./IValuer.sol";

/// @title FlowRule: what a call posted to each venue, in cash and in kind
/// @notice What a venue grew by beyond the cash that it took, while others of the call shrank by more than the cash that they gave, came
/// in kind from those: it counts as posted here and as come back there. A gain or a loss alone counts as neither, or a venue
/// that leaks could be filled again by as much as it lost.
library FlowRule {
    /// @param before     Venues before the call.
    /// @param afterwards The same venues in the same order after it.
    /// @param touched    Those that were called, each once.
    /// @param posted     What of idle each of `touched` took less what it gave, asset units at 1e18.
    /// @return all       What counts as posted to each of `touched`, less what counts as come back.
    function flows(
        VenueValue[] memory before,
        VenueValue[] memory afterwards,
        address[] memory touched,
        int256[] memory posted
    ) internal pure returns (int256[] memory all) {
        all = new int256[](touched.length);
        int256 grown;
        int256 shrunk;
        for (uint256 i; i < touched.length; ++i) {
            all[i] = _growth(before, afterwards, touched[i]) - posted[i];
            if (all[i] > 0) grown += all[i];
            else shrunk -= all[i];
        }
        int256 arrived = grown < shrunk ? grown : shrunk;
        int256 left = arrived;
        for (uint256 i; i < touched.length; ++i) {
            if (all[i] > 0) {
                if (all[i] > arrived) all[i] = arrived;
                arrived -= all[i];
            } else {
                if (all[i] < -left) all[i] = -left;
                left += all[i];
            }
            all[i] += posted[i];
        }
    }

    function _growth(VenueValue[] memory before, VenueValue[] memory afterwards, address venue)
        private
        pure
        returns (int256)
    {
        for (uint256 i; i < afterwards.length; ++i) {
            if (afterwards[i].venue == venue) return afterwards[i].mid - before[i].mid;
        }
        return 0;
    }
}
