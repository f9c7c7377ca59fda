// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {Svi} from "../pricing/Svi.sol";
import {ExpiryList} from "./ExpiryList.sol";
import {IVenueVol} from "./IVenueVol.sol";
import {IVolListener} from "./IVolListener.sol";
import {IVolSource} from "./IVolSource.sol";
import {SliceCheck} from "./SliceCheck.sol";
import {SliceSigners} from "./SliceSigners.sol";
import {Slice, VolSlice} from "./VolSlice.sol";

/// @title VolOracle: SVI smiles by underlying and expiry, each signed by k of n signers
/// @notice READING. A slice gives total variance to expiry as seen at its `timestamp`, w(k) with k = ln(strike / forward) against the
/// forward that it was signed with. A strike keeps its vol, sqrt(w(k) / years from `timestamp` to expiry), until the next post, wherever
/// spot goes. The interval is the hull of that vol and, for `hullTime` seconds after a post, of the vol that the slice before gave the
/// same strike, each with `halfWidth` to either side, and of the venue's own vol where `setVenueVol` names a venue that answers with one
/// between MIN_VOL and MAX_VOL. `low` is not under MIN_VOL, `mid` is the slice's own. A slice whose `timestamp` is more than `maxAge` ago is
/// refused, and so is a strike beyond its reach: |k| up to five total deviations at the money, at least MIN_REACH and at most MAX_REACH.
///
/// POSTING is open to anyone who has the signatures that `SliceSigners` asks for. A slice is refused unless
/// - `timestamp` is later than the last slice's, not in the future, at most `maxSignAge` ago and no longer ago than `expiry` is ahead;
/// - sigma >= Svi.MIN_SIGMA, |rho| < 1, b (1 + |rho|) <= 2 and w(k) >= 0;
/// - it passes `SliceCheck`: vols in range, no butterfly, no calendar arbitrage, and no vol moved by more than `halfWidth` nor by
///   more than `maxMovePerHour` x time since the last post, at 33 points spread by the total vol at the money and clustered at m +- sigma.
/// Calendar arbitrage is looked for against the nearest slice on either side that is fresh. Variances are compared at the same strike,
/// which is what a book valued at one spot for all expiries can be arbitraged by, and as of now: each slice's w(k) times the part of
/// its time that is left. Clean now is clean until either expires. The first post of an (underlying, expiry) moves freely. An
/// underlying has at most MAX_EXPIRIES slices; expired ones make room. `check` tells without signatures whether a slice would be taken.
///
/// FAIR ENTRY. Before and after a post both intervals hold the vol of the slice that was replaced, so the low after it is at most the
/// high before it, at every strike. Once `hullTime` has passed the same holds at the points examined, since they moved by at most
/// `halfWidth`. Whatever a venue's vol does, the slice's own and `halfWidth` to either side lie in the interval before and after, so the same holds of
/// that at every strike. A venue that stores its vol says so when it changes (`venueVolMoved`), which counts as a change of a slice does: `postedAt` is then.
///
/// A LARGE CHANGE IS WALKED: several posts, each within the bound; near expiries first where vol falls, far ones first where it rises.
/// The old slice restated for the new forward (m less ln of new over old) and time (a and b by the time left) is a post that moves
/// nothing.
///
/// ASSUMPTIONS. FEWER THAN `threshold` SIGNERS ARE DISHONEST OR STOLEN: enough of them move a vol by `halfWidth` a post and at
/// `maxMovePerHour`. SIGNERS DERIVE THE SLICE EACH FROM DATA OF THEIR OWN; A KEEPER'S KEY IS NO SIGNER'S (the deployer checks it).
/// BETWEEN THE POINTS EXAMINED g, CALENDAR AND MOVE ARE NOT KNOWN. THE FORWARD IS NOT CHECKED: IT IS THE UNIT OF k, NOT A PRICE.
/// WHOEVER MOVES THE VENUE'S VOL WIDENS THE INTERVAL, AND CANNOT DO MORE. A VENUE SAYS WHEN ITS VOL MOVED; IT CAN SAY SO WITHOUT CAUSE, AND THEN NO MARK IS CARRIED.
/// The governor can drop a slice, after which the next post of it is a first one: a repair, behind the governor's delay.
///
/// GAS. A post of a slice that stood before, between two fresh neighbours, with two signatures: 175,000 as a transaction, 179,000 among
/// eleven expiries (tests/forge/VolOracleGas.t.sol); each stale slice on the way to a neighbour adds 4,500. VENUE_GAS is given to the
/// venue; one that fails when there was less to give proves nothing, and the read reverts with `GasTooLow`: else a caller could choose
/// whether the venue counts.
contract VolOracle is IVolSource, IVolListener, SliceSigners {
    using ExpiryList for ExpiryList.Packed;
    using VolSlice for VolSlice.Packed;
    using VolSlice for Slice;

    /// @dev The slice of the present, and the one before it.
    struct Pair {
        VolSlice.Packed current;
        VolSlice.Packed previous;
    }

    error Expired(uint64 expiry, uint256 timestamp);
    error TooFar(uint64 expiry, uint256 latest);
    /// @notice The slice is not newer than the one that stands.
    error NotNewer(uint256 timestamp, uint256 last);
    error FromTheFuture(uint64 timestamp, uint256 now_);
    /// @notice The slice was signed more than `maximum` seconds ago.
    error SignedTooLongAgo(uint64 timestamp, uint256 maximum);
    error ForwardOutOfRange(uint128 forward, uint256 maximum);
    /// @notice The strike's log-moneyness `k` is beyond the slice's reach, or too far out to have one (then 0).
    error StrikeOutside(uint256 strike, int256 k, uint256 reach);
    /// @notice An interval under MIN_HALF_WIDTH or over MAX_HALF_WIDTH to a side.
    error BadHalfWidth(uint256 halfWidth, uint256 minimum, uint256 maximum);
    error BadMaxMovePerHour(uint256 maxMovePerHour, uint256 maximum);
    /// @notice An age of zero or over MAX_MAX_AGE, or a signing age or hull time of zero or above that age.
    error BadTimes(uint256 maxAge, uint256 maxSignAge, uint256 hullTime);
    error NotAContract(address account);
    /// @notice Who says that a venue's vol moved is not the venue that counts.
    error NotTheVenue(address caller, address venue);
    /// @notice The venue failed with too little gas to say that it would have failed with enough.
    error GasTooLow(uint256 available, uint256 needed);

    /// @notice The slice stands from now on.
    event Posted(address indexed underlying, uint64 indexed expiry, Slice slice);
    event Dropped(address indexed underlying, uint64 indexed expiry);
    event VenueVolSet(address indexed underlying, address venue);

    uint256 public constant MIN_HALF_WIDTH = 0.02e18;
    uint256 public constant MAX_HALF_WIDTH = 0.5e18;
    uint256 public constant MAX_MAX_MOVE_PER_HOUR = 1e18;
    uint256 public constant MIN_VOL = SliceCheck.MIN_VOL;
    uint256 public constant MAX_VOL = SliceCheck.MAX_VOL;
    uint256 public constant MAX_MAX_AGE = 7 days;
    uint256 public constant MAX_TENOR = 3 * 365 days;
    /// @notice The least and the greatest |k| out to which a slice is examined and read.
    int256 public constant MIN_REACH = SliceCheck.MIN_REACH;
    int256 public constant MAX_REACH = SliceCheck.MAX_REACH;
    uint256 public constant MAX_EXPIRIES = ExpiryList.CAPACITY;
    uint256 public constant VENUE_GAS = 60_000;

    uint256 private constant WAD = 1e18;
    uint256 private constant YEAR = 365 days;

    /// @notice From mid to low and to high, at 1e18.
    uint256 public immutable halfWidth;
    /// @notice The most a vol moves in an hour, at 1e18, whatever is signed.
    uint256 public immutable maxMovePerHour;
    /// @notice Seconds after its `timestamp` at which a slice is stale.
    uint256 public immutable maxAge;
    /// @notice Seconds after its `timestamp` until which a slice can be posted.
    uint256 public immutable maxSignAge;
    /// @notice Seconds after a post for which the slice before it counts.
    uint256 public immutable hullTime;

    /// @notice Whose vol widens the interval of an underlying; zero for nobody's.
    mapping(address underlying => IVenueVol) public venueVol;

    mapping(address underlying => mapping(uint64 expiry => Pair)) private _slices;
    mapping(address underlying => ExpiryList.Packed) private _expiries;

    constructor(
        address authority_,
        uint256 halfWidth_,
        uint256 maxMovePerHour_,
        uint256 maxAge_,
        uint256 maxSignAge_,
        uint256 hullTime_
    ) AccessManaged(authority_) {
        if (halfWidth_ < MIN_HALF_WIDTH || halfWidth_ > MAX_HALF_WIDTH) {
            revert BadHalfWidth(halfWidth_, MIN_HALF_WIDTH, MAX_HALF_WIDTH);
        }
        if (maxMovePerHour_ == 0 || maxMovePerHour_ > MAX_MAX_MOVE_PER_HOUR) {
            revert BadMaxMovePerHour(maxMovePerHour_, MAX_MAX_MOVE_PER_HOUR);
        }
        if (maxAge_ > MAX_MAX_AGE || maxSignAge_ == 0 || maxSignAge_ > maxAge_ || hullTime_ == 0 || hullTime_ > maxAge_)
        {
            revert BadTimes(maxAge_, maxSignAge_, hullTime_);
        }
        (halfWidth, maxMovePerHour) = (halfWidth_, maxMovePerHour_);
        (maxAge, maxSignAge, hullTime) = (maxAge_, maxSignAge_, hullTime_);
    }

    /// @notice Governor. Whose vol widens the interval of `underlying` from now on; zero for nobody's. Counts as a change of its slices.
    function setVenueVol(address underlying, address venue) external restricted {
        if (venue != address(0) && venue.code.length == 0) revert NotAContract(venue);
        venueVol[underlying] = IVenueVol(venue);
        _expiries[underlying].setChangedAt(block.timestamp);
        emit VenueVolSet(underlying, venue);
    }

    /// @inheritdoc IVolListener
    function venueVolMoved(address underlying) external {
        address venue = address(venueVol[underlying]);
        if (msg.sender != venue) revert NotTheVenue(msg.sender, venue);
        _expiries[underlying].setChangedAt(block.timestamp);
    }

    /// @notice Governor. Forgets a slice and the one before it, so that the next post is a first one.
    function drop(address underlying, uint64 expiry) external restricted {
        if (_slices[underlying][expiry].current.terms == 0) revert UnknownSlice(underlying, expiry);
        delete _slices[underlying][expiry];
        _expiries[underlying].remove(expiry, block.timestamp);
        _expiries[underlying].setSlicedAt(block.timestamp);
        emit Dropped(underlying, expiry);
    }

    /// @notice Takes a slice that enough signers signed and that passes every check. Anyone.
    /// @param signatures Of 65 bytes (r, s, v), in ascending order of their signers' addresses.
    function post(Slice calldata slice_, bytes[] calldata signatures) external {
        _requireSigned(slice_, signatures);
        bool listed = check(slice_);
        ExpiryList.Packed storage list = _expiries[slice_.underlying];
        if (!listed) list.insert(slice_.expiry, block.timestamp);
        list.setSlicedAt(block.timestamp);
        Pair storage pair = _slices[slice_.underlying][slice_.expiry];
        pair.previous = pair.current;
        pair.current = slice_.pack(block.timestamp);
        emit Posted(slice_.underlying, slice_.expiry, slice_);
    }

    /// @inheritdoc IVolSource
    /// @dev `updatedAt` is the slice's `timestamp`.
    function vol(address underlying, uint64 expiry, uint256 strike)
        external
        view
        returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt)
    {
        Pair storage pair = _slices[underlying][expiry];
        VolSlice.Packed memory current = pair.current;
        if (current.terms == 0) revert UnknownSlice(underlying, expiry);
        updatedAt = current.timestamp();
        if (block.timestamp - updatedAt > maxAge) revert StaleVol(updatedAt, maxAge);
        mid = _within(current, strike, expiry - updatedAt);
        (low, high) = (mid, mid);
        if (block.timestamp - current.postedAt() < hullTime) {
            VolSlice.Packed memory previous = pair.previous;
            if (previous.terms != 0) {
                int256 k = _moneyness(strike, previous.forward());
                uint256 before = Svi.vol(previous.raw(), k, expiry - previous.timestamp());
                if (before < low) low = before;
                if (before > high) high = before;
            }
        }
        low = low > halfWidth + MIN_VOL ? low - halfWidth : MIN_VOL;
        high += halfWidth;
        uint256 shown = _shown(underlying, expiry, strike);
        if (shown != 0) {
            if (shown < low) low = shown;
            if (shown > high) high = shown;
        }
        // Where the slice lies at MIN_VOL, rounding can put it a unit below.
        if (low > mid) low = mid;
    }

    /// @inheritdoc IVolSource
    function postedAt(address underlying) external view returns (uint256) {
        return _expiries[underlying].changedAt();
    }

    /// @inheritdoc IVolSource
    function slicedAt(address underlying) external view returns (uint256) {
        return _expiries[underlying].slicedAt();
    }

    /// @notice The last slice posted, fresh or not, and the block's time then; zeros where there is none.
    function slice(address underlying, uint64 expiry) external view returns (Slice memory, uint256) {
        VolSlice.Packed memory packed = _slices[underlying][expiry].current;
        return (packed.unpack(underlying, expiry), packed.postedAt());
    }

    /// @notice The slice before the last one, and the block's time when it was posted; zeros where there is none.
    function previousSlice(address underlying, uint64 expiry) external view returns (Slice memory, uint256) {
        VolSlice.Packed memory packed = _slices[underlying][expiry].previous;
        return (packed.unpack(underlying, expiry), packed.postedAt());
    }

    /// @notice Expiries that were posted for `underlying` and have not made room since, ascending.
    function expiries(address underlying) external view returns (uint64[] memory list) {
        ExpiryList.Packed memory packed = _expiries[underlying].load();
        list = new uint64[](packed.countBefore(type(uint64).max));
        for (uint256 i; i < list.length; ++i) {
            list[i] = packed.at(i);
        }
    }

    /// @notice Reverts as `post` would at this moment, signatures and room for a new expiry aside.
    /// @return listed Whether there is a slice of this underlying and expiry already.
    function check(Slice calldata slice_) public view returns (bool listed) {
        if (slice_.expiry <= block.timestamp) revert Expired(slice_.expiry, block.timestamp);
        if (slice_.expiry > block.timestamp + MAX_TENOR) revert TooFar(slice_.expiry, block.timestamp + MAX_TENOR);
        if (slice_.timestamp > block.timestamp) revert FromTheFuture(slice_.timestamp, block.timestamp);
        uint256 age = FixedPointMathLib.min(maxSignAge, slice_.expiry - block.timestamp);
        if (block.timestamp - slice_.timestamp > age) revert SignedTooLongAgo(slice_.timestamp, age);
        if (slice_.forward == 0 || slice_.forward > VolSlice.MAX_FORWARD) {
            revert ForwardOutOfRange(slice_.forward, VolSlice.MAX_FORWARD);
        }
        SliceCheck.Case memory c;
        c.raw = slice_.raw();
        (c.expiry, c.time) = (slice_.expiry, slice_.expiry - slice_.timestamp);
        _readLast(c, slice_);
        _readNeighbours(c, slice_);
        SliceCheck.examine(c);
        return c.last.sigma != 0;
    }

    /// @dev Fills `last`, `maximum` and `bound`.
    function _readLast(SliceCheck.Case memory c, Slice calldata slice_) private view {
        VolSlice.Packed memory current = _slices[slice_.underlying][c.expiry].current;
        if (current.terms == 0) return;
        uint256 timestamp = current.timestamp();
        if (slice_.timestamp <= timestamp) revert NotNewer(slice_.timestamp, timestamp);
        c.last = _restated(current, slice_.forward, c.time, c.expiry - timestamp);
        c.maximum = maxMovePerHour * (block.timestamp - current.postedAt()) / 1 hours;
        if (c.maximum > halfWidth) c.maximum = halfWidth;
        c.bound = c.maximum * c.maximum / WAD * c.time / YEAR;
    }

    /// @dev Fills `near` and `far`: the nearest slices of the underlying on either side that are neither expired nor stale.
    function _readNeighbours(SliceCheck.Case memory c, Slice calldata slice_) private view {
        ExpiryList.Packed memory list = _expiries[slice_.underlying].load();
        uint256 at = list.countBefore(c.expiry);
        for (uint256 i = at; i > 0; --i) {
            uint64 expiry = list.at(i - 1);
            if (expiry <= block.timestamp) break;
            VolSlice.Packed memory packed = _slices[slice_.underlying][expiry].current;
            if (block.timestamp - packed.timestamp() > maxAge) continue;
            (c.near, c.nearExpiry) = (_restatedNow(c, packed, slice_.forward, expiry), expiry);
            break;
        }
        if (list.at(at) == c.expiry) ++at;
        for (uint256 i = at; i < MAX_EXPIRIES; ++i) {
            uint64 expiry = list.at(i);
            if (expiry == 0) break;
            VolSlice.Packed memory packed = _slices[slice_.underlying][expiry].current;
            if (block.timestamp - packed.timestamp() > maxAge) continue;
            (c.far, c.farExpiry) = (_restatedNow(c, packed, slice_.forward, expiry), expiry);
            break;
        }
    }

    /// @dev Another expiry's slice such that it compares with the examined one's as of now: the part of its time that is left over the part
    ///      that is left of the examined one's, which is at most 2.
    function _restatedNow(SliceCheck.Case memory c, VolSlice.Packed memory packed, uint256 forward, uint64 expiry)
        private
        view
        returns (Svi.Raw memory)
    {
        uint256 left = (expiry - block.timestamp) * c.time;
        return _restated(packed, forward, left, (expiry - packed.timestamp()) * (c.expiry - block.timestamp));
    }

    /// @dev A slice with its k against another forward, and `part` of `whole` of its total variance.
    function _restated(VolSlice.Packed memory packed, uint256 forward, uint256 part, uint256 whole)
        private
        pure
        returns (Svi.Raw memory raw)
    {
        raw = packed.raw();
        int256 shift = _moneyness(forward, packed.forward());
        // Parameters are below 2^64, `part` and `whole` below 2^54; `whole` is not zero.
        unchecked {
            raw.m -= shift;
            raw.a = raw.a * int256(part) / int256(whole);
            raw.b = raw.b * int256(part) / int256(whole);
        }
    }

    /// @dev The vol at a strike that the slice reaches.
    function _within(VolSlice.Packed memory packed, uint256 strike, uint256 time) private pure returns (uint256) {
        Svi.Raw memory raw = packed.raw();
        int256 reach = SliceCheck.reach(Svi.totalVariance(raw, 0));
        int256 k = _moneyness(strike, packed.forward());
        if (k > reach || k < -reach) revert StrikeOutside(strike, k, uint256(reach));
        return Svi.vol(raw, k, time);
    }

    /// @dev ln(strike / forward) at 1e18, `forward` > 0; reverts where it is not within +-41.
    function _moneyness(uint256 strike, uint256 forward) private pure returns (int256) {
        uint256 quotient = strike >> 128 == 0 ? strike * WAD / forward : 0;
        if (quotient == 0 || quotient >> 118 != 0) revert StrikeOutside(strike, 0, uint256(MAX_REACH));
        return FixedPointMathLib.lnWad(int256(quotient));
    }

    /// @dev The venue's vol; 0 where there is no venue or it shows no vol between MIN_VOL and MAX_VOL.
    function _shown(address underlying, uint64 expiry, uint256 strike) private view returns (uint256 shown) {
        address venue = address(venueVol[underlying]);
        if (venue == address(0)) return 0;
        bytes memory data = abi.encodeCall(IVenueVol.iv, (underlying, expiry, strike));
        uint256 available = gasleft();
        bool answered;
        // Only one word is taken back, however much the venue returns.
        assembly ("memory-safe") {
            answered := staticcall(VENUE_GAS, venue, add(data, 32), mload(data), 0, 32)
            answered := and(answered, gt(returndatasize(), 31))
            if answered { shown := mload(0) }
        }
        uint256 needed = VENUE_GAS + VENUE_GAS / 63 + 5_000;
        if (!answered && available < needed) revert GasTooLow(available, needed);
        if (shown < MIN_VOL || shown > MAX_VOL) shown = 0;
    }
}
