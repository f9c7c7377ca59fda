// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {SVI_POINTS, Svi} from "../pricing/Svi.sol";
import {IVenueVol} from "./IVenueVol.sol";
import {IVolSource} from "./IVolSource.sol";

/// @title VolOracle: SVI smiles by underlying and expiry, each signed by k of n signers
/// @notice READING. A slice gives total variance to expiry as seen at its `timestamp`, w(k) with k = ln(strike / forward) against the
/// forward that it was signed with. A strike keeps its vol, sqrt(w(k) / years from `timestamp` to expiry), until the next post, wherever spot
/// goes. The interval is the hull of that vol, for `hullTime` seconds after a post of the vol that the slice before it gave the same strike, each
/// with `halfWidth` to either side, and of the venue's own vol where `setVenueVol` names a venue that answers with one
/// between MIN_VOL and MAX_VOL. `low` is not under MIN_VOL, `mid` is the slice's own. A slice signed more than `maxAge` ago is refused, and so is a strike beyond its
/// reach: |k| up to five total deviations at the money, at least MIN_REACH and at most MAX_REACH.
///
/// POSTING is open to anyone who has the signatures: at least `threshold` of them, of signers of the set, in ascending order of their addresses,
/// over the EIP-712 hash of
///
///   Slice(address underlying,uint64 expiry,uint64 timestamp,uint128 forward,int64 a,uint64 b,int64 rho,int64 m,uint64 sigma)
///
/// in the domain (name "Evenkeel VolOracle", version "1", chain id, this contract). A slice is refused unless
/// - `timestamp` is later than the last slice's, not in the future and at most `maxSignAge` ago;
/// - sigma >= Svi.MIN_SIGMA, |rho| < 1, b (1 + |rho|) <= 2, w(k) >= 0 and the vol is MIN_VOL to MAX_VOL within the reach;
/// - Gatheral's g >= 0 (no butterfly) at every one of the points within the reach that `Svi.points` names: 17 spread by the total vol
///   at the money, 16 about m by sigma;
/// - at these points total variance rises with expiry (no calendar arbitrage) from the nearest earlier slice that is fresh, and to the nearest
///   later one. Variances are compared at the same strike, which is what a book valued at one spot for all expiries can be arbitraged by,
///   and as of now: each slice's w(k) times the part of its time that is left. Clean now is clean until either expires;
/// - at these points no vol moves by more than min(`halfWidth`, `maxMovePerHour` x time since the last post). Points where old and new vol
///   both put the strike over four deviations out are exempt: an option there is worth under a 100,000th of the strike either way.
/// The first post of an (underlying, expiry) moves freely. An underlying has at most MAX_EXPIRIES slices; expired ones make room.
/// `check` tells without signatures whether a slice would be taken.
///
/// FAIR ENTRY. Before and after a post both intervals hold the vol of the slice that was replaced, so the low after it is at most the
/// high before it, at every strike. Once `hullTime` has passed the same holds for the points examined, since they moved by at most `halfWidth`.
///
/// A LARGE CHANGE IS WALKED: several posts, each within the bound; near expiries first where vol falls, far ones first where it rises.
/// The old slice, restated for the new forward (m less ln of new over old) and time (a and b by the time left), is a post that moves nothing.
///
/// ASSUMPTIONS. FEWER THAN `threshold` SIGNERS ARE DISHONEST OR STOLEN. Enough of them move a vol at `maxMovePerHour`, and by `halfWidth` a post.
/// SIGNERS DERIVE THE SLICE EACH FROM DATA OF THEIR OWN; A KEEPER'S KEY IS NO SIGNER'S (the deployer checks it).
/// BETWEEN THE POINTS EXAMINED g, CALENDAR AND MOVE ARE NOT KNOWN. THE FORWARD IS NOT CHECKED: IT IS THE UNIT OF k, NOT A PRICE.
/// WHOEVER MOVES THE VENUE'S VOL WIDENS THE INTERVAL, AND CANNOT DO MORE.
/// Whoever is governor can drop a slice, after which the next post of it is a first one: a repair, behind the governor's delay.
///
/// GAS. VENUE_GAS is given to the venue; a venue that fails with less than that to spend proves nothing, and the read reverts with `GasTooLow`, or a
/// caller could choose whether the venue counts.
contract VolOracle is IVolSource, EIP712, AccessManaged {
    /// @notice What is signed: a raw SVI slice of total variance, parameters at 1e18.
    /// @param expiry    Unix seconds.
    /// @param timestamp Unix seconds of the data: w is total variance from then to `expiry`.
    /// @param forward   What k refers to, asset units at 1e18.
    struct Slice {
        address underlying;
        uint64 expiry;
        uint64 timestamp;
        uint128 forward;
        int64 a;
        uint64 b;
        int64 rho;
        int64 m;
        uint64 sigma;
    }

    /// @dev A slice in two slots; `postedAt` is the block's time.
    struct Stored {
        int64 a;
        uint64 b;
        int64 rho;
        int64 m;
        uint64 sigma;
        uint112 forward;
        uint40 timestamp;
        uint40 postedAt;
    }

    /// @dev The slice of the present, and the one before it.
    struct Pair {
        Stored current;
        Stored previous;
    }

    /// @dev A slice to compare with: its k is the examined one's plus `shift`. A total variance of the examined slice times `mine` compares
    ///      with one of this slice times `theirs`.
    struct Other {
        uint64 expiry;
        Svi.Raw raw;
        int256 shift;
        uint256 mine;
        uint256 theirs;
    }

    /// @dev A slice in examination, `time` the seconds its total variance is over, and what it is held against; an `expiry` of zero is none.
    struct Case {
        Svi.Raw raw;
        uint64 expiry;
        uint256 time;
        uint256 maximum;
        Other last;
        Other near;
        Other far;
    }

    error Expired(uint64 expiry, uint256 timestamp);
    error TooFar(uint64 expiry, uint256 latest);
    /// @notice The slice is not newer than the one that stands.
    error NotNewer(uint64 timestamp, uint64 last);
    error FromTheFuture(uint64 timestamp, uint256 now_);
    /// @notice The slice was signed more than `maxSignAge` seconds ago.
    error SignedTooLongAgo(uint64 timestamp, uint256 maxSignAge);
    error ForwardOutOfRange(uint128 forward, uint256 maximum);
    /// @notice A vol of the slice within its reach is out of range; at 1e18.
    error VolOutOfRange(uint256 vol, uint256 minimum, uint256 maximum);
    /// @notice The density at `k` is negative: `g` at 1e18.
    error Butterfly(int256 k, int256 g);
    /// @notice Total variance at `k` of the slice, as of now and at 1e18, would fall from `near` to `far`.
    error Calendar(int256 k, uint64 near, uint256 nearVariance, uint64 far, uint256 farVariance);
    /// @notice The vol at `k` of the slice would move by more than `maximum`; vols at 1e18.
    error MoveTooLarge(int256 k, uint256 previous, uint256 posted, uint256 maximum);
    /// @notice As many slices of the underlying are alive as there can be.
    error TooManyExpiries(uint256 maximum);
    error TooFewSignatures(uint256 given, uint256 threshold);
    /// @notice A signature of nobody in the set over this slice; zero where it is no signature at all.
    error UnknownSigner(address signer);
    /// @notice Signers or signatures are not in ascending order of address, or one is there twice.
    error NotAscending(address first, address second);
    /// @notice The strike's log-moneyness `k` is beyond the slice's reach, or too far out to have one (then 0).
    error StrikeOutside(uint256 strike, int256 k, uint256 reach);
    error TooManySigners(uint256 signers, uint256 maximum);
    /// @notice A threshold of zero or above the number of signers.
    error BadThreshold(uint256 threshold, uint256 signers);
    /// @notice An interval under MIN_HALF_WIDTH or over MAX_HALF_WIDTH to a side.
    error BadHalfWidth(uint256 halfWidth, uint256 minimum, uint256 maximum);
    error BadMaxMovePerHour(uint256 maxMovePerHour, uint256 maximum);
    /// @notice An age of zero or over MAX_MAX_AGE, or a signing age or hull time of zero or above that age.
    error BadTimes(uint256 maxAge, uint256 maxSignAge, uint256 hullTime);
    error NotAContract(address account);
    /// @notice The venue failed with too little gas to say that it would have failed with enough.
    error GasTooLow(uint256 available, uint256 needed);

    /// @notice The slice stands from now on.
    event Posted(address indexed underlying, uint64 indexed expiry, Slice slice);
    event Dropped(address indexed underlying, uint64 indexed expiry);
    event SignersSet(address[] signers, uint8 threshold);
    event VenueVolSet(address indexed underlying, address venue);

    /// @notice The EIP-712 type hash of `Slice`.
    bytes32 public constant SLICE_TYPEHASH = keccak256(
        "Slice(address underlying,uint64 expiry,uint64 timestamp,uint128 forward,int64 a,uint64 b,int64 rho,int64 m,uint64 sigma)"
    );
    uint256 public constant MIN_HALF_WIDTH = 0.02e18;
    uint256 public constant MAX_HALF_WIDTH = 0.5e18;
    uint256 public constant MAX_MAX_MOVE_PER_HOUR = 1e18;
    uint256 public constant MIN_VOL = 0.01e18;
    uint256 public constant MAX_VOL = 10e18;
    uint256 public constant MAX_MAX_AGE = 7 days;
    uint256 public constant MAX_TENOR = 3 * 365 days;
    /// @notice The least and the greatest |k| out to which a slice is examined and read.
    int256 public constant MIN_REACH = 0.7e18;
    int256 public constant MAX_REACH = 5e18;
    uint256 public constant MAX_SIGNERS = 16;
    uint256 public constant MAX_EXPIRIES = 12;
    uint256 public constant VENUE_GAS = 150_000;

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

    /// @notice Signatures that a post needs.
    uint8 public threshold;
    /// @inheritdoc IVolSource
    mapping(address underlying => uint256) public postedAt;
    /// @notice Whose vol widens the interval of an underlying; zero for nobody's.
    mapping(address underlying => IVenueVol) public venueVol;
    mapping(address signer => bool) public isSigner;

    address[] private _signers;
    mapping(address underlying => mapping(uint64 expiry => Pair)) private _slices;
    /// @dev Ascending, zeros at the end.
    mapping(address underlying => uint40[MAX_EXPIRIES]) private _expiries;

    /// @dev There are no signers until `setSigners`, and nothing can be posted.
    constructor(
        address authority_,
        uint256 halfWidth_,
        uint256 maxMovePerHour_,
        uint256 maxAge_,
        uint256 maxSignAge_,
        uint256 hullTime_
    ) AccessManaged(authority_) EIP712("Evenkeel VolOracle", "1") {
        if (halfWidth_ < MIN_HALF_WIDTH || halfWidth_ > MAX_HALF_WIDTH) {
            revert BadHalfWidth(halfWidth_, MIN_HALF_WIDTH, MAX_HALF_WIDTH);
        }
        if (maxMovePerHour_ == 0 || maxMovePerHour_ > MAX_MAX_MOVE_PER_HOUR) {
            revert BadMaxMovePerHour(maxMovePerHour_, MAX_MAX_MOVE_PER_HOUR);
        }
        if (
            maxAge_ > MAX_MAX_AGE || maxSignAge_ == 0 || maxSignAge_ > maxAge_ || hullTime_ == 0 || hullTime_ > maxAge_
        ) revert BadTimes(maxAge_, maxSignAge_, hullTime_);
        (halfWidth, maxMovePerHour) = (halfWidth_, maxMovePerHour_);
        (maxAge, maxSignAge, hullTime) = (maxAge_, maxSignAge_, hullTime_);
    }

    /// @notice Governor. Replaces the set of signers; what they signed before and was not posted is void.
    /// @param sorted Ascending, at most MAX_SIGNERS.
    function setSigners(address[] calldata sorted, uint8 threshold_) external restricted {
        if (sorted.length > MAX_SIGNERS) revert TooManySigners(sorted.length, MAX_SIGNERS);
        if (threshold_ == 0 || threshold_ > sorted.length) revert BadThreshold(threshold_, sorted.length);
        for (uint256 i; i < _signers.length; ++i) {
            isSigner[_signers[i]] = false;
        }
        address last;
        for (uint256 i; i < sorted.length; ++i) {
            if (sorted[i] <= last) revert NotAscending(last, sorted[i]);
            last = sorted[i];
            isSigner[last] = true;
        }
        (_signers, threshold) = (sorted, threshold_);
        emit SignersSet(sorted, threshold_);
    }

    /// @notice Governor. Whose vol widens the interval of `underlying` from now on; zero for nobody's.
    function setVenueVol(address underlying, address venue) external restricted {
        if (venue != address(0) && venue.code.length == 0) revert NotAContract(venue);
        venueVol[underlying] = IVenueVol(venue);
        emit VenueVolSet(underlying, venue);
    }

    /// @notice Governor. Forgets a slice and the one before it, so that the next post is a first one.
    function drop(address underlying, uint64 expiry) external restricted {
        if (_slices[underlying][expiry].current.postedAt == 0) revert UnknownSlice(underlying, expiry);
        delete _slices[underlying][expiry];
        _list(underlying, expiry, false);
        postedAt[underlying] = block.timestamp;
        emit Dropped(underlying, expiry);
    }

    /// @notice Takes a slice that enough signers signed and that passes every check. Anyone.
    /// @param signatures Of 65 bytes (r, s, v), in ascending order of their signers' addresses.
    function post(Slice calldata slice_, bytes[] calldata signatures) external {
        _verify(hash(slice_), signatures);
        bool listed = check(slice_);
        if (!listed) _list(slice_.underlying, slice_.expiry, true);
        Pair storage pair = _slices[slice_.underlying][slice_.expiry];
        pair.previous = pair.current;
        pair.current = Stored({
            a: slice_.a,
            b: slice_.b,
            rho: slice_.rho,
            m: slice_.m,
            sigma: slice_.sigma,
            forward: uint112(slice_.forward),
            timestamp: uint40(slice_.timestamp),
            postedAt: uint40(block.timestamp)
        });
        postedAt[slice_.underlying] = block.timestamp;
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
        Stored memory current = pair.current;
        if (current.postedAt == 0) revert UnknownSlice(underlying, expiry);
        updatedAt = current.timestamp;
        if (block.timestamp - updatedAt > maxAge) revert StaleVol(updatedAt, maxAge);
        mid = _within(current, strike, expiry - updatedAt);
        (low, high) = (mid, mid);
        if (block.timestamp - current.postedAt < hullTime) {
            Stored memory previous = pair.previous;
            if (previous.postedAt != 0) {
                int256 k = _moneyness(strike, previous.forward);
                uint256 before = Svi.vol(_raw(previous), k, expiry - previous.timestamp);
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

    /// @notice The last slice posted, fresh or not, and the block's time then; zeros where there is none.
    function slice(address underlying, uint64 expiry) external view returns (Slice memory, uint256) {
        return _described(underlying, expiry, _slices[underlying][expiry].current);
    }

    /// @notice The slice before the last one, and the block's time when it was posted; zeros where there is none.
    function previousSlice(address underlying, uint64 expiry) external view returns (Slice memory, uint256) {
        return _described(underlying, expiry, _slices[underlying][expiry].previous);
    }

    /// @notice Expiries that were posted for `underlying` and have not made room since, ascending.
    function expiries(address underlying) external view returns (uint64[] memory list) {
        uint40[MAX_EXPIRIES] memory all = _expiries[underlying];
        uint256 count;
        while (count < MAX_EXPIRIES && all[count] != 0) ++count;
        list = new uint64[](count);
        for (uint256 i; i < count; ++i) {
            list[i] = all[i];
        }
    }

    /// @notice The set, ascending.
    function signers() external view returns (address[] memory) {
        return _signers;
    }

    /// @notice The EIP-712 hash that signers sign.
    function hash(Slice calldata slice_) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(SLICE_TYPEHASH, slice_)));
    }

    /// @notice Reverts as `post` would at this moment, signatures and room for a new expiry aside.
    /// @return listed Whether there is a slice of this underlying and expiry already.
    function check(Slice calldata slice_) public view returns (bool listed) {
        if (slice_.expiry <= block.timestamp) revert Expired(slice_.expiry, block.timestamp);
        if (slice_.expiry > block.timestamp + MAX_TENOR) revert TooFar(slice_.expiry, block.timestamp + MAX_TENOR);
        if (slice_.timestamp > block.timestamp) revert FromTheFuture(slice_.timestamp, block.timestamp);
        if (block.timestamp - slice_.timestamp > maxSignAge) revert SignedTooLongAgo(slice_.timestamp, maxSignAge);
        if (slice_.forward == 0 || slice_.forward > type(uint112).max) {
            revert ForwardOutOfRange(slice_.forward, type(uint112).max);
        }
        Case memory c;
        c.raw = Svi.Raw({
            a: slice_.a,
            b: int256(uint256(slice_.b)),
            rho: slice_.rho,
            m: slice_.m,
            sigma: int256(uint256(slice_.sigma))
        });
        (c.expiry, c.time) = (slice_.expiry, slice_.expiry - slice_.timestamp);
        _readLast(c, slice_);
        _readNeighbours(c, slice_);
        _examine(c);
        return c.last.expiry != 0;
    }

    /// @dev Everything that depends on k.
    function _examine(Case memory c) private view {
        uint256 least = uint256(Svi.check(c.raw));
        if (least * YEAR < MIN_VOL * MIN_VOL / WAD * c.time) {
            revert VolOutOfRange(Svi.volOf(least, c.time), MIN_VOL, MAX_VOL);
        }
        uint256 atMoney = Svi.totalVariance(c.raw, 0);
        int256 reach = _reach(atMoney);
        uint256 greatest = MAX_VOL * MAX_VOL / WAD * c.time / YEAR;
        int256[SVI_POINTS] memory points =
            Svi.points(c.raw, int256(FixedPointMathLib.sqrt(atMoney * WAD)), reach);
        for (uint256 i; i < SVI_POINTS; ++i) {
            int256 k = points[i];
            if (k > reach || k < -reach) continue;
            (uint256 w, int256 density) = Svi.density(c.raw, k);
            if (w > greatest) revert VolOutOfRange(Svi.volOf(w, c.time), MIN_VOL, MAX_VOL);
            if (density < 0) revert Butterfly(k, Svi.g(c.raw, k));
            if (c.last.expiry != 0) _bounded(c, k, w);
            Other memory other = c.near;
            if (other.expiry != 0) {
                uint256 theirs = Svi.totalVariance(other.raw, k + other.shift);
                if (theirs * other.theirs > w * other.mine) _crossed(c, k, other, theirs, w);
            }
            other = c.far;
            if (other.expiry != 0) {
                uint256 theirs = Svi.totalVariance(other.raw, k + other.shift);
                if (theirs * other.theirs < w * other.mine) _crossed(c, k, other, theirs, w);
            }
        }
    }

    /// @dev Reverts where the vol at `k` moves by more than `maximum`. With variances v, |sqrt(v1) - sqrt(v2)| <= d is
    ///      |v1 - v2| - d^2 <= 2 d sqrt(min(v1, v2)), which takes no root.
    function _bounded(Case memory c, int256 k, uint256 w) private pure {
        uint256 before = Svi.totalVariance(c.last.raw, k + c.last.shift);
        uint256 larger = w * YEAR / c.time;
        uint256 smaller = before * YEAR / c.last.theirs;
        if (larger < smaller) (larger, smaller) = (smaller, larger);
        uint256 apart = larger - smaller;
        uint256 square = c.maximum * c.maximum / WAD;
        if (apart <= square) return;
        apart -= square;
        if (apart * apart <= 4 * square * smaller) return;
        // Over four deviations out by either, against the strike's distance from the new forward.
        if (uint256(k * k) > 16 * WAD * FixedPointMathLib.max(w, before)) return;
        revert MoveTooLarge(k, Svi.volOf(before, c.last.theirs), Svi.volOf(w, c.time), c.maximum);
    }

    function _crossed(Case memory c, int256 k, Other memory other, uint256 theirs, uint256 w) private view {
        uint256 left = c.expiry - block.timestamp;
        uint256 own = w * left / c.time;
        // `mine` is `left` times the other's whole time, `theirs` the other's time left times `c.time`.
        theirs = theirs * other.theirs / c.time / (other.mine / left);
        if (other.expiry < c.expiry) revert Calendar(k, other.expiry, theirs, c.expiry, own);
        revert Calendar(k, c.expiry, own, other.expiry, theirs);
    }

    /// @dev Fills `last`, its `theirs` the seconds that its total variance is over, and `maximum`.
    function _readLast(Case memory c, Slice calldata slice_) private view {
        Stored memory current = _slices[slice_.underlying][slice_.expiry].current;
        if (current.postedAt == 0) return;
        if (slice_.timestamp <= current.timestamp) revert NotNewer(slice_.timestamp, current.timestamp);
        c.last.expiry = slice_.expiry;
        c.last.raw = _raw(current);
        c.last.shift = _moneyness(slice_.forward, current.forward);
        c.last.theirs = slice_.expiry - current.timestamp;
        c.maximum = maxMovePerHour * (block.timestamp - current.postedAt) / 1 hours;
        if (c.maximum > halfWidth) c.maximum = halfWidth;
    }

    /// @dev Fills `near` and `far`: the nearest slices of the underlying on either side that are neither expired nor stale.
    function _readNeighbours(Case memory c, Slice calldata slice_) private view {
        uint40[MAX_EXPIRIES] memory list = _expiries[slice_.underlying];
        uint256 at;
        while (at < MAX_EXPIRIES && list[at] != 0 && list[at] < c.expiry) ++at;
        for (uint256 i = at; i > 0 && list[i - 1] > block.timestamp; --i) {
            if (_compare(c, slice_, list[i - 1], c.near)) break;
        }
        if (at < MAX_EXPIRIES && list[at] == c.expiry) ++at;
        for (uint256 i = at; i < MAX_EXPIRIES && list[i] != 0; ++i) {
            if (_compare(c, slice_, list[i], c.far)) break;
        }
    }

    /// @dev Fills `other` with the slice at `expiry` if it is fresh.
    function _compare(Case memory c, Slice calldata slice_, uint64 expiry, Other memory other)
        private
        view
        returns (bool)
    {
        Stored memory stored = _slices[slice_.underlying][expiry].current;
        if (block.timestamp - stored.timestamp > maxAge) return false;
        other.expiry = expiry;
        other.raw = _raw(stored);
        other.shift = _moneyness(slice_.forward, stored.forward);
        other.mine = (c.expiry - block.timestamp) * (expiry - stored.timestamp);
        other.theirs = (expiry - block.timestamp) * c.time;
        return true;
    }

    function _verify(bytes32 hash_, bytes[] calldata signatures) private view {
        uint256 needed = threshold;
        if (needed == 0 || signatures.length < needed) revert TooFewSignatures(signatures.length, needed);
        address last;
        for (uint256 i; i < signatures.length; ++i) {
            (address signer,,) = ECDSA.tryRecoverCalldata(hash_, signatures[i]);
            if (!isSigner[signer]) revert UnknownSigner(signer);
            if (signer <= last) revert NotAscending(last, signer);
            last = signer;
        }
    }

    /// @dev Lists the unexpired, with `expiry` (not among them) or without.
    function _list(address underlying, uint64 expiry, bool with) private {
        uint40[MAX_EXPIRIES] memory old = _expiries[underlying];
        uint40[MAX_EXPIRIES] memory list;
        uint256 count;
        bool pending = with;
        for (uint256 i; i < MAX_EXPIRIES; ++i) {
            if (old[i] == 0) break;
            if (old[i] <= block.timestamp || old[i] == expiry) continue;
            if (pending && expiry < old[i]) {
                list[count++] = uint40(expiry);
                pending = false;
            }
            if (count == MAX_EXPIRIES) revert TooManyExpiries(MAX_EXPIRIES);
            list[count++] = old[i];
        }
        if (pending) {
            if (count == MAX_EXPIRIES) revert TooManyExpiries(MAX_EXPIRIES);
            list[count] = uint40(expiry);
        }
        _expiries[underlying] = list;
    }

    /// @dev The vol at a strike that the slice reaches.
    function _within(Stored memory stored, uint256 strike, uint256 time) private pure returns (uint256) {
        Svi.Raw memory raw = _raw(stored);
        int256 reach = _reach(Svi.totalVariance(raw, 0));
        int256 k = _moneyness(strike, stored.forward);
        if (k > reach || k < -reach) revert StrikeOutside(strike, k, uint256(reach));
        return Svi.vol(raw, k, time);
    }

    /// @dev Five deviations of a total variance, within MIN_REACH and MAX_REACH.
    function _reach(uint256 atMoney) private pure returns (int256 reach) {
        reach = int256(FixedPointMathLib.sqrt(25 * atMoney * WAD));
        if (reach < MIN_REACH) return MIN_REACH;
        if (reach > MAX_REACH) return MAX_REACH;
    }

    /// @dev ln(strike / forward) at 1e18, `forward` > 0; reverts where the quotient is not within e^+-41.
    function _moneyness(uint256 strike, uint256 forward) private pure returns (int256) {
        uint256 quotient = strike >> 128 == 0 ? strike * WAD / forward : 0;
        if (quotient == 0) revert StrikeOutside(strike, 0, uint256(MAX_REACH));
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

    function _described(address underlying, uint64 expiry, Stored memory stored)
        private
        pure
        returns (Slice memory slice_, uint256)
    {
        if (stored.postedAt != 0) {
            slice_ = Slice({
                underlying: underlying,
                expiry: expiry,
                timestamp: stored.timestamp,
                forward: stored.forward,
                a: stored.a,
                b: stored.b,
                rho: stored.rho,
                m: stored.m,
                sigma: stored.sigma
            });
        }
        return (slice_, stored.postedAt);
    }

    function _raw(Stored memory stored) private pure returns (Svi.Raw memory) {
        return Svi.Raw({
            a: stored.a,
            b: int256(uint256(stored.b)),
            rho: stored.rho,
            m: stored.m,
            sigma: int256(uint256(stored.sigma))
        });
    }
}
