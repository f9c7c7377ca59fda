// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VaultParts} from "./IVault.sol";
import {VaultOperations} from "./VaultOperations.sol";
import {VaultPricing} from "./VaultPricing.sol";

/// @title Vault: shares over idle cash and venues, rebalanced under guard
/// @notice Entry, exit and NAV are specified in `VaultShares`, what keeper, curator and anyone do with the venues in
/// `VaultOperations`. Oracle, vol source, valuer and guard are fixed at deployment; whoever the authority trusts with
/// the oracle's and the guard's setters is trusted here.
contract Vault is VaultOperations {
    constructor(VaultParts memory parts) VaultPricing(parts) {}
}
