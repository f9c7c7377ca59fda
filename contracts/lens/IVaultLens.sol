// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VaultState} from "./VaultState.sol";

/// @title IVaultLens: the whole state of a vault in one view
interface IVaultLens {
    /// @notice Everything a decision about `vault` needs, consistent because it is one call. Never reverts because of a
    /// venue, oracle or vol source.
    function state(address vault) external view returns (VaultState memory);
}
