// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVault} from "../IVault.sol";
import {IValuer, Valuation} from "./IValuer.sol";
import {Valuing} from "./Valuing.sol";

/// @title Valuer: values any vault, or one of its venues alone, as `Valuing` says
/// @notice Stateless.
contract Valuer is Valuing, IValuer {
    /// @inheritdoc IValuer
    function value(address vault) external view returns (Valuation memory) {
        return _value(vault, IVault(vault).venues());
    }

    /// @inheritdoc IValuer
    function venueMid(address vault, address venue) external view returns (bool priced, int256 mid) {
        Valuation memory v = valueVenue(vault, venue);
        return (v.priced, v.venues[0].mid);
    }

    /// @inheritdoc IValuer
    function valueVenue(address vault, address venue) public view returns (Valuation memory) {
        address[] memory alone = new address[](1);
        alone[0] = venue;
        return _value(vault, alone);
    }

    /// @inheritdoc IValuer
    function interval(address vault) external view returns (bool priced, int256 low, int256 mid, int256 high) {
        Valuation memory v = _value(vault, IVault(vault).venues());
        return (v.priced, v.low, v.mid, v.high);
    }
}
