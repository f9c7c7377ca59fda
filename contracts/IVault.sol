// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {Act} from "./guard/IVenueActs.sol";

/// @notice One typed action: calldata of a function of `venue`.
struct Instruction {
    address venue;
    bytes data;
}

/// @notice What the curator allows a venue. Health at 1e18; cap as a fraction of low NAV at 1e18.
struct VenueConfig {
    uint256 cap;
    uint256 minHealth;
    uint256 targetHealth;
    uint256 criticalHealth;
}

/// @notice What a vault is made of; none of it can be changed.
struct VaultParts {
    address asset;
    string name;
    string symbol;
    address authority;
    address oracle;
    address volSource;
    address valuer;
    address guard;
    address judge;
    address marks;
}

/// @title IVault: shares over idle cash and venues, rebalanced under guard
interface IVault is IERC4626 {
    error PastDeadline(uint256 deadline, uint256 timestamp);
    error PlanUsed(bytes32 planId);
    error UnknownVenue(address venue);
    error VenueKnown(address venue);
    /// @notice A venue that was not written off.
    error NotWrittenOff(address venue);
    error TooManyVenues(uint256 maximum);
    /// @notice `fund` came from a venue that the vault is not calling.
    error NotCalling(address venue);
    /// @notice Only the judge of a rebalance has the calls made.
    error NotJudging(address caller);
    error IdleShort(uint256 idle, uint256 wanted);
    /// @notice A top-up of a unit that is at its target already, or that would pass it.
    error PastTarget(address venue, uint256 unit, uint256 health, uint256 target);
    /// @notice The share supply changed during a rebalance.
    error SupplyChanged(uint256 before, uint256 afterwards);
    /// @notice A venue's action failed; `reason` is its own error.
    error VenueCallFailed(address venue, uint256 index, bytes reason);

    event Rebalanced(bytes32 indexed planId, address indexed keeper, int256 midBefore, int256 midAfter, uint256 loss);
    event ToppedUp(address indexed venue, uint256 indexed unit, uint256 assets, uint256 healthBefore, uint256 healthAfter);
    /// @notice Positions were reduced or margin freed; `amount` is the fraction or the assets asked for, `loss` asset units at 1e18.
    event Eased(address indexed venue, uint256 indexed unit, Act act, uint256 amount, uint256 loss);
    event TipPaid(address indexed venue, address indexed to, uint256 assets);
    event VenueAdded(address indexed venue, VenueConfig config);
    event VenueConfigured(address indexed venue, VenueConfig config);
    event VenueRemoved(address indexed venue);
    event VenueWrittenOff(address indexed venue, uint256 indexed epoch);
    /// @notice What a venue that was written off gave back went to those who held shares then; wei of the asset.
    event Recovered(address indexed venue, uint256 assets);

    /// @notice KEEPER. Carries out `calls` in order under the guard, all or nothing.
    /// @param deadline Unix seconds after which the plan is void.
    /// @param planId   Any id not used before.
    /// @return results The return data of each call.
    function rebalance(Instruction[] calldata calls, uint256 deadline, bytes32 planId)
        external
        returns (bytes[] memory results);

    /// @notice JUDGE, while a rebalance waits for it. Makes the calls.
    /// @param touched What `calls` call, and perhaps more, each once.
    /// @return results The return data of each call.
    /// @return posted  What of idle each of `touched` took less what it gave, asset units at 1e18.
    function makeCalls(Instruction[] calldata calls, address[] calldata touched)
        external
        returns (bytes[] memory results, int256[] memory posted);

    /// @notice KEEPER. Posts `assets` of idle as margin of a unit that is under its venue's target health, never past it.
    function topUp(address venue, uint256 unit, uint256 assets, uint256 minPosted) external returns (uint256 posted);

    /// @notice Anyone. Posts `assets` of idle as margin of a unit that is critical, as the guard knows (`VenueActs`), never past its
    /// target. Where a unit's own venue is all that says so, the first call only notes it and posts nothing.
    /// @return posted What arrived, as `IVenue.post`.
    /// @return tip    What the caller was paid, in wei of the asset.
    function topUpCritical(address venue, uint256 unit, uint256 assets) external returns (uint256 posted, uint256 tip);

    /// @notice GUARDIAN. Closes `fraction` of the positions in `unit`, as `IVenue.reduce`, at any time.
    function reduce(address venue, uint256 unit, uint256 fraction, uint256 limitPrice) external;

    /// @notice KEEPER. The same while the vault cannot be priced.
    function keeperReduce(address venue, uint256 unit, uint256 fraction, uint256 limitPrice) external;

    /// @notice GUARDIAN. Takes margin worth `assets` out of `unit` into idle, as `IVenue.free`, down to the venue's minimum health.
    function free(address venue, uint256 unit, uint256 assets, uint256 minFreed) external returns (uint256 freed);

    /// @notice KEEPER. The same.
    function keeperFree(address venue, uint256 unit, uint256 assets, uint256 minFreed) external returns (uint256 freed);

    /// @notice GOVERNOR. Takes a venue out of the vault for good, whatever it holds: its value leaves NAV, and what is later recovered
    /// of it belongs to those who held shares at this moment (`IWriteOffs`).
    function writeOff(address venue) external;

    /// @notice GOVERNOR. Calls a venue that was written off, which can draw no idle, and hands what it pays on to those holders.
    function recover(address venue, bytes calldata data) external returns (bytes memory answer);

    /// @notice The venue that the vault is calling draws `assets` of idle.
    function fund(uint256 assets) external;

    /// @notice Idle plus venues as an interval, asset units at 1e18, read now.
    function nav() external view returns (bool priced, int256 low, int256 mid, int256 high);

    /// @notice The interval that entry is priced by: `nav()`, or the last mark carried to now.
    function navView() external view returns (bool priced, int256 low, int256 mid, int256 high);

    /// @notice Anyone. Reads the interval live and stores it; `IRiskGuard.Unpriced` while a venue or price cannot be read.
    function mark() external;

    /// @notice QUEUE. Burns `shares` of the caller at the low NAV and pays it; `IRiskGuard.Unpriced` while a venue or price
    /// cannot be read, `IdleShort` where idle does not reach.
    function processExit(uint256 shares) external returns (uint256 assets);

    /// @notice The `IRedeemQueue` of this vault; zero until the governor names it, once.
    function redeemQueue() external view returns (address);

    /// @notice Where `venue` sends what it pays: here, or for one that was written off to those who held shares then.
    function payee(address venue) external view returns (address);

    /// @notice The `IWriteOffs` that this vault made for itself. Immutable.
    function writeOffs() external view returns (address);

    /// @notice The registered adapters; the order changes when one is removed.
    function venues() external view returns (address[] memory);
    /// @notice Whether `venue` is registered.
    function isVenue(address venue) external view returns (bool);
    /// @notice What the curator allows `venue`; `UnknownVenue` where it is not registered.
    function venueConfig(address venue) external view returns (VenueConfig memory);
    /// @notice Whether the vault is calling its venues. What strangers may do at an adapter waits meanwhile.
    function acting() external view returns (bool);
    /// @notice Whether a rebalance of this plan was carried out.
    function planUsed(bytes32 planId) external view returns (bool);
    /// @notice The `IPriceOracle` of the vault and its adapters. Immutable.
    function oracle() external view returns (address);
    /// @notice The `IVolSource` of the vault and its adapters. Immutable.
    function volSource() external view returns (address);
    /// @notice The `IValuer` that makes an interval of their books. Immutable.
    function valuer() external view returns (address);
    /// @notice The `IRiskGuard` that judges every rebalance and top-up. Immutable.
    function guard() external view returns (address);
    /// @notice The `IRebalanceJudge` that values the vault before and after a rebalance, and speaks for it to guard and marks. Immutable.
    function judge() external view returns (address);
    /// @notice The `IMarks` that keeps the last mark and carries it. Immutable.
    function marks() external view returns (address);
}
