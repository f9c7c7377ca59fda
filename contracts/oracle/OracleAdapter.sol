// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IPriceOracle} from "./IPriceOracle.sol";
import {IPriceSource} from "./IPriceSource.sol";

/// @title OracleAdapter: several sources a token, one interval in units of the vault's asset
/// @notice `quote(token)` reads every source of the token and drops those that revert. The mid is the median of the others (the mean
///         of the middle two when even); the interval is the hull of each one's own interval, so disagreement widens it. Fewer than
///         the quorum, or an interval wider than allowed, revert with both numbers.
/// @dev A source is in the asset or in US dollars (denomination 0). A dollar reading is divided by the asset's own dollar quote, whose
///      sources are configured under the asset itself, and takes on its width: the asset is never assumed to be worth a dollar. When
///      the asset cannot be priced, dollar readings are dropped, and the asset's error is the answer if too few others are left.
///
///      EACH SOURCE IS IMMUTABLE AND HONEST ABOUT `token()` AND `denomination()`; both are checked when configured.
///      THE SOURCES OF A TOKEN ARE INDEPENDENT; a quorum over copies of one feed proves nothing.
contract OracleAdapter is IPriceOracle, AccessManaged {
    /// @notice What is configured for a token; no sources means unknown.
    /// @param sources  Read in this order.
    /// @param quorum   The least number of fresh readings.
    /// @param maxWidth The greatest (high - low) / mid, at 1e18.
    struct Configuration {
        address[] sources;
        uint8 quorum;
        uint256 maxWidth;
    }

    struct Reading {
        uint256 low;
        uint256 mid;
        uint256 high;
    }

    error TooManySources(uint256 sources, uint256 maximum);
    /// @notice A quorum of zero or above the number of sources.
    error BadQuorum(uint256 quorum, uint256 sources);
    /// @notice A width limit of zero or above MAX_WIDTH.
    error BadMaxWidth(uint256 maxWidth, uint256 maximum);
    /// @notice The source prices another token.
    error WrongToken(address source, address token, address wanted);
    /// @notice The source is neither in dollars nor, for a token other than the asset, in the asset.
    error WrongDenomination(address source, address denomination);
    /// @notice The same source twice.
    error RepeatedSource(address source);

    /// @notice `token` is priced by `sources` from now on; none removes it.
    event Configured(address indexed token, address[] sources, uint8 quorum, uint256 maxWidth);

    uint256 public constant MAX_SOURCES = 5;
    /// @notice The widest interval that may be configured: a fifth of mid.
    uint256 public constant MAX_WIDTH = 0.2e18;

    address private constant DOLLAR = address(0);

    address public immutable override asset;

    mapping(address token => Configuration) private _configurations;

    constructor(address asset_, address authority_) AccessManaged(authority_) {
        asset = asset_;
    }

    /// @notice GOVERNOR. Sets the sources of `token`; an empty list removes it (quorum and width are then ignored).
    /// @param token    The token; the asset itself for the sources that give its dollar price.
    /// @param sources  At most MAX_SOURCES, none twice.
    /// @param quorum   1 to the number of sources.
    /// @param maxWidth The greatest (high - low) / mid, at 1e18, at most MAX_WIDTH.
    function configure(address token, address[] calldata sources, uint8 quorum, uint256 maxWidth) external restricted {
        if (sources.length == 0) {
            delete _configurations[token];
            emit Configured(token, sources, 0, 0);
            return;
        }
        if (sources.length > MAX_SOURCES) revert TooManySources(sources.length, MAX_SOURCES);
        if (quorum == 0 || quorum > sources.length) revert BadQuorum(quorum, sources.length);
        if (maxWidth == 0 || maxWidth > MAX_WIDTH) revert BadMaxWidth(maxWidth, MAX_WIDTH);
        for (uint256 i = 0; i < sources.length; i++) {
            for (uint256 j = 0; j < i; j++) {
                if (sources[i] == sources[j]) revert RepeatedSource(sources[i]);
            }
            address priced = IPriceSource(sources[i]).token();
            if (priced != token) revert WrongToken(sources[i], priced, token);
            address denomination = IPriceSource(sources[i]).denomination();
            if (denomination != DOLLAR && (denomination != asset || token == asset)) {
                revert WrongDenomination(sources[i], denomination);
            }
        }
        _configurations[token] = Configuration(sources, quorum, maxWidth);
        emit Configured(token, sources, quorum, maxWidth);
    }

    /// @notice The sources and limits of `token`; no sources when unknown.
    function configuration(address token) external view returns (Configuration memory) {
        return _configurations[token];
    }

    /// @inheritdoc IPriceOracle
    function quote(address token)
        external
        view
        returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt)
    {
        if (token == asset) return (1e18, 1e18, 1e18, block.timestamp);
        return _quote(token);
    }

    /// @notice The asset's price in US dollars at 1e18, as an interval.
    /// @dev Errors as `quote`.
    function assetQuote() external view returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt) {
        return _quote(asset);
    }

    function _quote(address token)
        private
        view
        returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt)
    {
        Configuration storage configured = _configurations[token];
        if (configured.sources.length == 0) revert UnknownToken(token);
        uint256[] memory mids;
        bytes memory assetError;
        (mids, low, high, updatedAt, assetError) = _readings(token, configured.sources);
        if (mids.length < configured.quorum) {
            if (assetError.length != 0) _bubble(assetError);
            revert TooFewSources(token, mids.length, configured.quorum);
        }
        mid = _median(mids);
        uint256 width = Math.mulDiv(high - low, 1e18, mid, Math.Rounding.Ceil);
        if (width > configured.maxWidth) revert TooWide(token, width, configured.maxWidth);
    }

    /// @dev The fresh readings of `sources` in the token's unit of account: their mids sorted upwards, the hull of their intervals and
    ///      the oldest time; `assetError` when dollar readings were dropped because the asset has no dollar price.
    function _readings(address token, address[] memory sources)
        private
        view
        returns (uint256[] memory mids, uint256 low, uint256 high, uint256 updatedAt, bytes memory assetError)
    {
        mids = new uint256[](sources.length);
        uint256 count;
        (low, updatedAt) = (type(uint256).max, block.timestamp);
        Reading memory dollar;
        for (uint256 i = 0; i < sources.length; i++) {
            (Reading memory reading, uint256 time) = _read(sources[i]);
            if (reading.mid == 0) continue;
            if (token != asset && IPriceSource(sources[i]).denomination() == DOLLAR) {
                if (dollar.mid == 0 && assetError.length == 0) (dollar, updatedAt, assetError) = _dollar(updatedAt);
                if (dollar.mid == 0) continue;
                reading = _divide(reading, dollar);
                if (reading.mid == 0) continue;
            }
            _insert(mids, count++, reading.mid);
            if (reading.low < low) low = reading.low;
            if (reading.high > high) high = reading.high;
            if (time < updatedAt) updatedAt = time;
        }
        assembly ("memory-safe") {
            mstore(mids, count)
        }
    }

    /// @dev One source's interval; mid 0 when it refuses to answer.
    function _read(address source) private view returns (Reading memory reading, uint256 updatedAt) {
        try IPriceSource(source).read() returns (uint256 price, uint256 halfWidth, uint256 time) {
            // Beyond this the arithmetic above could overflow: no price of anything.
            if (price > type(uint128).max || halfWidth > type(uint128).max) return (reading, time);
            reading = Reading(price > halfWidth ? price - halfWidth : 0, price, price + halfWidth);
            updatedAt = time;
        } catch {} // A stale or broken source is dropped; the quorum decides whether enough are left.
    }

    /// @dev The asset's dollar price and the older of `updatedAt` and its time; mid 0 and the reason when there is none.
    function _dollar(uint256 updatedAt) private view returns (Reading memory dollar, uint256 oldest, bytes memory reason) {
        oldest = updatedAt;
        try this.assetQuote() returns (uint256 low, uint256 mid, uint256 high, uint256 time) {
            if (low == 0) return (dollar, oldest, abi.encodeWithSelector(IPriceSource.BadReading.selector));
            dollar = Reading(low, mid, high);
            if (time < oldest) oldest = time;
        } catch (bytes memory failure) {
            reason = failure.length == 0 ? abi.encodeWithSelector(IPriceSource.BadReading.selector) : failure;
        }
    }

    /// @dev `reading` / `by`, low rounded down and high up.
    function _divide(Reading memory reading, Reading memory by) private pure returns (Reading memory) {
        return Reading(
            Math.mulDiv(reading.low, 1e18, by.high),
            Math.mulDiv(reading.mid, 1e18, by.mid),
            Math.mulDiv(reading.high, 1e18, by.low, Math.Rounding.Ceil)
        );
    }

    /// @dev Insertion into the first `count` of `sorted`.
    function _insert(uint256[] memory sorted, uint256 count, uint256 value) private pure {
        uint256 i = count;
        for (; i > 0 && sorted[i - 1] > value; i--) {
            sorted[i] = sorted[i - 1];
        }
        sorted[i] = value;
    }

    function _median(uint256[] memory sorted) private pure returns (uint256) {
        uint256 middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    function _bubble(bytes memory reason) private pure {
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}
