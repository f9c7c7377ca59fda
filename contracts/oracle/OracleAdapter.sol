// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {IDollarOracle} from "./IDollarOracle.sol";
import {IPriceOracle} from "./IPriceOracle.sol";
import {IPriceSource} from "./IPriceSource.sol";
import {Price, PriceInterval} from "./PriceInterval.sol";
import {PricePins} from "./PricePins.sol";

/// @title OracleAdapter: several sources a token, one interval in units of the vault's asset
/// @notice `quote(token)` reads every source of the token and drops those that revert. The mid is the median of the others (the mean
///         of the middle two when even); the interval is the hull of each one's own interval, so disagreement widens it. Fewer than
///         the quorum, an interval wider than allowed, and a price beyond the circuit breaker revert with both numbers.
///         `primary(token)` reads the first source alone, for carrying a mark that `quote` struck.
///
///         A source is in the asset or in US dollars (denomination 0). A dollar reading is divided by the asset's own dollar quote,
///         whose sources are configured under the asset itself, and takes on its width: the asset is never assumed to be worth a
///         dollar. When the asset cannot be priced, dollar readings are dropped, and the asset's error is the answer if too few
///         others are left.
///
///         FAIR ENTRY. With a quorum of two or more, the low after an update of one of the token's sources is at most the high before
///         it, whatever the update: the interval of another source lies in both hulls. With one source, and where the asset moves,
///         it holds for a round at the feed's threshold.
///
///         SEQUENCER. Where one source of a token says that the L2 sequencer is down or just back, the token has no price, whatever the
///         quorum: no other source can know better, and an average over the outage is of a price that nobody could trade at.
///
///         GAS. A read that fails with less than SOURCE_GAS reverts with GasTooLow, or a caller could choose which sources count, and
///         a `poke` that does nothing would pass for enough, by the gas of a transaction.
///
///         CIRCUIT BREAKER. A token has a level: the last accepted mid. A mid over `level` x (1 + a) or under `level` / (1 + a) is
///         refused, with a = jump x sqrt(hours since the level was accepted, at least one). `poke`, open to anyone, is all that
///         moves the level (`configure` ends with one):
///         - the first price of a token becomes its level, when it is configured if there is one then; before that there is no breaker;
///         - a mid inside the allowance becomes the level, at most once in ACCEPT_INTERVAL, so that poking often cannot walk the
///           level faster than one allowance an hour;
///         - a mid outside it counts as a round when it was read ROUND_SPACING after the round before. REARM_ROUNDS rounds in a row,
///           each within REARM_BAND of the first and ROUND_WINDOW of the one before, become the level. A mid back inside the
///           allowance, or outside the band, starts over.
///         A pool's average is read anew in each block, so ROUND_SPACING alone separates its rounds. No round counts while the asset
///         that a dollar reading is divided by has no price, tripped included: the asset comes back first.
///         No key sets the level: the governor chooses sources and the jump, and neither touches a level that is there.
///
///         PINS. `pin` keeps what `quote` and `primary` answer for a token until the transaction ends, and with a price that is divided by
///         the asset's dollar price keeps that one too: from then on all of the transaction is priced as if it had happened at the
///         pin. Anyone may pin, since that says no more than that calls could have come in another order: what is pinned was the
///         answer a moment ago in this same transaction, and who could act at it now, with the sources moved on, could have acted
///         at it then. One token pinned before an update of a source and another after it are two prices, each of which is fair by
///         itself; the asset's dollar price is one for both. What has no price is not pinned, and read anew each time.
///         A pin is never older than the transaction, so no age, outage or hour passes under it. `poke` neither reads pins nor
///         touches them: the breaker sees the sources alone. `configure` and `setJump` drop all pins, since what they refuse from
///         now on must not be answered. Sources are read by static calls, so nobody is called between a price and its pin.
///
///         DEFAULT_JUMP is 40% per square root of an hour. Over 2020-2025 the worst hour of ETH/USDT moved the close by 26% and from the
///         last close to a wick by 39% (2021-05-19), and no longer stretch came nearer to its own allowance; from its high to its
///         low that hour was 42%, so a level accepted at the very top would have tripped at the very bottom, and been right again
///         minutes later. A halved price trips it for 6 hours after a level was accepted, a tenfold one for 21 days.
/// @dev The breaker of the asset is that of its dollar price. `quote` reads it too (no dollar reading counts while it is tripped);
///      `primary` does not: an asset price that jumps moves the token's mid as much, which the token's own breaker sees.
///
///      EACH SOURCE IS IMMUTABLE AND HONEST ABOUT `token()` AND `denomination()`; both are checked when configured, and not read again.
///      THE SOURCES OF A TOKEN ARE INDEPENDENT; a quorum over copies of one feed proves nothing.
///      THE FIRST SOURCE OF A TOKEN IS THE ONE LEAST EASILY MOVED, AND ON AN L2 ONE THAT SEES THE SEQUENCER; `primary` trusts it alone.
///      SOMEBODY POKES; a level that nobody renews allows more with each day.
contract OracleAdapter is IPriceOracle, IDollarOracle, AccessManaged {
    /// @notice What is configured for a token; no sources means unknown.
    /// @param sources  Read in this order.
    /// @param quorum   The least number of fresh readings.
    /// @param maxWidth The greatest (high - low) / mid, at 1e18.
    struct Configuration {
        address[] sources;
        uint8 quorum;
        uint256 maxWidth;
    }

    /// @notice The circuit breaker of a token.
    /// @param level     The last accepted mid; 0 before the first.
    /// @param levelAt   When it was accepted, in unix seconds.
    /// @param jump      The allowance after one hour, at 1e18.
    /// @param candidate The mid of the first of the rounds counted; 0 when there are none.
    /// @param roundAt   When the last of them was read.
    /// @param rounds    How many there are.
    struct Breaker {
        uint256 level;
        uint256 levelAt;
        uint256 jump;
        uint256 candidate;
        uint256 roundAt;
        uint256 rounds;
    }

    /// @dev A token's state. `primary` reads the first two slots and no others.
    struct Token {
        address first;
        uint8 count;
        uint8 quorum;
        /// @dev Bit i is set where source i is in dollars.
        uint8 dollars;
        uint64 maxWidth;
        // Slot 1; a jump of 0 is DEFAULT_JUMP.
        uint128 level;
        uint64 levelAt;
        uint64 jump;
        // Slot 2.
        uint128 candidate;
        uint64 roundAt;
        uint8 rounds;
        /// @dev The sources after the first.
        address[4] others;
    }

    /// @dev How a price is looked up, and what is seen on the way.
    /// @param live  Whether pins do not count.
    /// @param first The reading of the first source in its own denomination; mid 0 where it refused.
    struct Look {
        bool live;
        uint256 dollars;
        Price first;
    }

    error TooManySources(uint256 sources, uint256 maximum);
    /// @notice A quorum of zero or above the number of sources.
    error BadQuorum(uint256 quorum, uint256 sources);
    /// @notice A width limit of zero or above MAX_WIDTH.
    error BadMaxWidth(uint256 maxWidth, uint256 maximum);
    /// @notice A jump of zero or above MAX_JUMP.
    error BadJump(uint256 jump, uint256 maximum);
    /// @notice The source prices another token.
    error WrongToken(address source, address token, address wanted);
    /// @notice The source is neither in dollars nor, for a token other than the asset, in the asset.
    error WrongDenomination(address source, address denomination);
    /// @notice The same source twice.
    error RepeatedSource(address source);

    /// @notice `token` is priced by `sources` from now on; none removes it.
    event Configured(address indexed token, address[] sources, uint8 quorum, uint256 maxWidth);
    /// @notice The breaker of `token` allows `jump` an hour from now on.
    event JumpSet(address indexed token, uint256 jump);
    /// @notice `mid` is the new level of `token`; `rearmed` when rounds carried it there.
    event LevelAccepted(address indexed token, uint256 mid, bool rearmed);
    /// @notice `mid` is outside the allowance, and the `rounds`th of the rounds that agree.
    event RoundCounted(address indexed token, uint256 mid, uint256 rounds);

    uint256 public constant MAX_SOURCES = 5;
    /// @notice The widest interval that may be configured: a fifth of mid.
    uint256 public constant MAX_WIDTH = 0.2e18;
    /// @notice The breaker's allowance after one hour where none is set, at 1e18.
    uint256 public constant DEFAULT_JUMP = 0.4e18;
    /// @notice The largest jump that may be set: a price that doubles or halves in an hour.
    uint256 public constant MAX_JUMP = 1e18;
    /// @notice Seconds between two levels accepted inside the allowance, and the least time the allowance counts.
    uint256 public constant ACCEPT_INTERVAL = 1 hours;
    /// @notice Rounds that agree after which the breaker accepts their level.
    uint256 public constant REARM_ROUNDS = 3;
    /// @notice How far from the first of them a round may lie, at 1e18.
    uint256 public constant REARM_BAND = 0.05e18;
    /// @notice The least and the most seconds between two rounds; the least is a TWAP's shortest window, the most two slow heartbeats.
    uint256 public constant ROUND_SPACING = 300;
    uint256 public constant ROUND_WINDOW = 2 days;

    /// @notice Gas that one source's read may take.
    uint256 public constant SOURCE_GAS = 200_000;
    /// @dev What a call costs by itself, a cold address included.
    uint256 private constant CALL_GAS = 5_000;

    /// @dev Bytes of SequencerNotSettled: a selector and three words.
    uint256 private constant SEQUENCER_ERROR_SIZE = 100;

    address private constant DOLLAR = address(0);

    address public immutable override asset;

    mapping(address token => Token) private _tokens;

    constructor(address asset_, address authority_) AccessManaged(authority_) {
        asset = asset_;
    }

    /// @notice GOVERNOR. Sets the sources of `token`; an empty list removes it (quorum and width are then ignored).
    /// @param token    The token; the asset itself for the sources that give its dollar price.
    /// @param sources  At most MAX_SOURCES, none twice; the first is `primary`'s.
    /// @param quorum   1 to the number of sources.
    /// @param maxWidth The greatest (high - low) / mid, at 1e18, at most MAX_WIDTH.
    /// @dev Pokes, so that the breaker is there from the start. A dollar token then needs the asset configured before it.
    function configure(address token, address[] calldata sources, uint8 quorum, uint256 maxWidth) external restricted {
        PricePins.drop();
        Token storage stored = _tokens[token];
        if (sources.length == 0) {
            (stored.first, stored.count, stored.quorum, stored.dollars, stored.maxWidth) = (address(0), 0, 0, 0, 0);
            delete stored.others;
            emit Configured(token, sources, 0, 0);
            return;
        }
        if (sources.length > MAX_SOURCES) revert TooManySources(sources.length, MAX_SOURCES);
        if (quorum == 0 || quorum > sources.length) revert BadQuorum(quorum, sources.length);
        if (maxWidth == 0 || maxWidth > MAX_WIDTH) revert BadMaxWidth(maxWidth, MAX_WIDTH);
        address[4] memory others;
        uint8 dollars;
        for (uint256 i = 0; i < sources.length; i++) {
            for (uint256 j = 0; j < i; j++) {
                if (sources[i] == sources[j]) revert RepeatedSource(sources[i]);
            }
            if (_inDollars(token, sources[i])) dollars |= uint8(1 << i);
            if (i > 0) others[i - 1] = sources[i];
        }
        (stored.first, stored.count, stored.quorum) = (sources[0], uint8(sources.length), quorum);
        (stored.dollars, stored.maxWidth, stored.others) = (dollars, uint64(maxWidth), others);
        emit Configured(token, sources, quorum, maxWidth);
        _poke(token);
    }

    /// @notice GOVERNOR. Sets the breaker's allowance after one hour, at 1e18, at most MAX_JUMP.
    function setJump(address token, uint256 jump) external restricted {
        if (jump == 0 || jump > MAX_JUMP) revert BadJump(jump, MAX_JUMP);
        _tokens[token].jump = uint64(jump);
        PricePins.drop();
        emit JumpSet(token, jump);
    }

    /// @inheritdoc IPriceOracle
    function poke(address token) external {
        _poke(token);
    }

    /// @inheritdoc IPriceOracle
    function pin(address token) external {
        _pin(token);
    }

    /// @inheritdoc IPriceOracle
    function pinAll(address[] calldata tokens) external {
        for (uint256 i = 0; i < tokens.length; i++) {
            _pin(tokens[i]);
        }
    }

    /// @notice The sources and limits of `token`; no sources when unknown.
    function configuration(address token) external view returns (Configuration memory) {
        Token storage stored = _tokens[token];
        return Configuration(_sources(stored), stored.quorum, stored.maxWidth);
    }

    /// @notice The circuit breaker of `token`, or of the asset's dollar price.
    function breaker(address token) external view returns (Breaker memory) {
        Token storage stored = _tokens[token];
        return Breaker(
            stored.level, stored.levelAt, _jump(stored.jump), stored.candidate, stored.roundAt, stored.rounds
        );
    }

    /// @inheritdoc IPriceOracle
    function quote(address token)
        external
        view
        returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt)
    {
        if (token == asset) return (1e18, 1e18, 1e18, block.timestamp);
        (low, mid, high, updatedAt) = PricePins.pinned(token, PricePins.QUOTE);
        if (mid == 0) return _quote(token);
    }

    /// @inheritdoc IDollarOracle
    function assetQuote() external view returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt) {
        (low, mid, high, updatedAt) = PricePins.pinned(asset, PricePins.QUOTE);
        if (mid == 0) return _quote(asset);
    }

    /// @inheritdoc IPriceOracle
    function primary(address token)
        external
        view
        returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt)
    {
        if (token == asset) return (1e18, 1e18, 1e18, block.timestamp);
        (low, mid, high, updatedAt) = PricePins.pinned(token, PricePins.FIRST);
        if (mid != 0) return (low, mid, high, updatedAt);
        Token storage stored = _tokens[token];
        uint256 settings = _word(stored, 0);
        (low, mid, high, updatedAt) = _readFirst(token, address(uint160(settings)));
        if ((settings >> 176) & 1 != 0) (low, mid, high, updatedAt) = _inAsset(low, mid, high, updatedAt);
        uint256 maxWidth = uint64(settings >> 184);
        if (PriceInterval.tooWide(low, mid, high, maxWidth)) revert TooWide(token, PriceInterval.width(low, mid, high), maxWidth);
        if (!_within(stored, mid)) _bubble(_tripped(token, stored, mid));
    }

    function _poke(address token) private {
        Token storage stored = _tokens[token];
        Look memory look;
        look.live = true;
        (Price memory price, bytes memory failure) = _price(token, look);
        if (failure.length != 0) return;
        if (stored.level == 0) return _accept(token, price.mid, false);
        if (_within(stored, price.mid)) {
            if (stored.rounds != 0) _forget(stored);
            if (block.timestamp - stored.levelAt >= ACCEPT_INTERVAL) _accept(token, price.mid, false);
            return;
        }
        _count(token, price.mid, price.newestAt);
    }

    function _pin(address token) private {
        (, uint256 mid,,) = PricePins.pinned(token, PricePins.QUOTE);
        if (mid != 0) return;
        Token storage stored = _tokens[token];
        if (token != asset && stored.dollars != 0) _pin(asset);
        Look memory look;
        (Price memory price, bytes memory failure) = _accepted(token, look);
        if (failure.length != 0) return;
        PricePins.keep(token, PricePins.QUOTE, price);
        if (_isPrimary(token, stored, look.first)) PricePins.keep(token, PricePins.FIRST, look.first);
    }

    /// @dev Turns `first` into what `primary` answers; false where it would revert. Of the asset any reading will do.
    function _isPrimary(address token, Token storage stored, Price memory first) private view returns (bool) {
        if (first.mid == 0 || token == asset) return first.mid != 0;
        if (stored.dollars & 1 != 0) {
            Price memory dollar;
            (dollar.low, dollar.mid, dollar.high, dollar.updatedAt) = PricePins.pinned(asset, PricePins.FIRST);
            if (dollar.low == 0 || !PriceInterval.divide(first, dollar)) return false;
        }
        return !PriceInterval.tooWide(first.low, first.mid, first.high, stored.maxWidth) && _within(stored, first.mid);
    }

    function _quote(address token) private view returns (uint256, uint256, uint256, uint256) {
        Look memory look;
        (Price memory price, bytes memory failure) = _accepted(token, look);
        if (failure.length != 0) _bubble(failure);
        return (price.low, price.mid, price.high, price.updatedAt);
    }

    /// @dev The price of `token` that the breaker lets pass, or the error that says why there is none.
    function _accepted(address token, Look memory look) private view returns (Price memory price, bytes memory failure) {
        (price, failure) = _price(token, look);
        if (failure.length != 0) return (price, failure);
        Token storage stored = _tokens[token];
        if (!_within(stored, price.mid)) failure = _tripped(token, stored, price.mid);
    }

    /// @dev The price of `token` whatever its breaker says, or the error that says why there is none.
    function _price(address token, Look memory look) private view returns (Price memory price, bytes memory failure) {
        Token storage stored = _tokens[token];
        uint256 settings = _word(stored, 0);
        if (uint8(settings >> 160) == 0) return (price, abi.encodeWithSelector(UnknownToken.selector, token));
        uint256[] memory mids = new uint256[](uint8(settings >> 160));
        if (token != asset) look.dollars = uint8(settings >> 176);
        (price, failure) = _readings(stored, mids, look);
        uint256 quorum = uint8(settings >> 168);
        if (mids.length >= quorum) {
            price.mid = PriceInterval.median(mids);
            uint256 maxWidth = uint64(settings >> 184);
            if (!PriceInterval.tooWide(price.low, price.mid, price.high, maxWidth)) return (price, "");
            uint256 width = PriceInterval.width(price.low, price.mid, price.high);
            failure = abi.encodeWithSelector(TooWide.selector, token, width, maxWidth);
        } else if (failure.length == 0) {
            failure = abi.encodeWithSelector(TooFewSources.selector, token, mids.length, quorum);
        }
    }

    /// @dev The fresh readings of a token's sources in its unit of account: their mids, sorted upwards into `mids`, which has room for all
    ///      and is cut to those there are, and a price without a mid: the hull of their intervals and their times. `failure` when
    ///      dollar readings were dropped for want of the asset's price, or when all were for want of a sequencer.
    function _readings(Token storage stored, uint256[] memory mids, Look memory look)
        private
        view
        returns (Price memory hull, bytes memory failure)
    {
        uint256 count;
        uint256 sources = mids.length;
        (hull.low, hull.updatedAt) = (type(uint256).max, block.timestamp);
        Price memory dollar;
        for (uint256 i = 0; i < sources; i++) {
            (Price memory reading, bytes memory outage) = _read(i == 0 ? stored.first : stored.others[i - 1]);
            if (outage.length != 0) {
                failure = outage;
                count = 0;
                break;
            }
            if (reading.mid == 0) continue;
            uint256 readAt = reading.updatedAt;
            if (i == 0) look.first = Price(reading.low, reading.mid, reading.high, readAt, readAt);
            if (look.dollars & (1 << i) != 0) {
                if (dollar.mid == 0 && failure.length == 0) (dollar, failure) = _dollar(look.live);
                if (failure.length != 0 || !PriceInterval.divide(reading, dollar)) continue;
            }
            PriceInterval.insert(mids, count++, reading.mid);
            if (reading.low < hull.low) hull.low = reading.low;
            if (reading.high > hull.high) hull.high = reading.high;
            if (reading.updatedAt < hull.updatedAt) hull.updatedAt = reading.updatedAt;
            if (readAt > hull.newestAt) hull.newestAt = readAt;
        }
        assembly ("memory-safe") {
            mstore(mids, count)
        }
    }

    /// @dev One source's interval; mid 0 when it refuses to answer, with its error where that is an outage of the sequencer.
    function _read(address source) private view returns (Price memory reading, bytes memory outage) {
        uint256 available = gasleft();
        try IPriceSource(source).read{gas: SOURCE_GAS}() returns (uint256 price, uint256 halfWidth, uint256 updatedAt) {
            return (PriceInterval.around(price, halfWidth, updatedAt), "");
        } catch {
            // A stale or broken source is dropped; the quorum decides whether enough are left. The 64th is the EVM's own.
            uint256 needed = SOURCE_GAS * 64 / 63 + CALL_GAS;
            if (available < needed) revert GasTooLow(available, needed);
            outage = _outage();
        }
    }

    /// @dev What was just returned, if that is the error of a sequencer's outage. Its first bytes alone are copied: a broken feed
    ///      could return more than anybody can pay for.
    function _outage() private pure returns (bytes memory reason) {
        bytes memory head = new bytes(SEQUENCER_ERROR_SIZE);
        uint256 size;
        assembly ("memory-safe") {
            size := returndatasize()
            if eq(size, SEQUENCER_ERROR_SIZE) { returndatacopy(add(head, 32), 0, size) }
        }
        if (size == SEQUENCER_ERROR_SIZE && bytes4(head) == IPriceSource.SequencerNotSettled.selector) return head;
    }

    /// @dev The interval of the first source of `token`; its own error when it refuses to answer. On the stack, as `primary` is
    ///      called where gas counts.
    function _readFirst(address token, address source)
        private
        view
        returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt)
    {
        if (source == address(0)) revert UnknownToken(token);
        uint256 halfWidth;
        (mid, halfWidth, updatedAt) = IPriceSource(source).read();
        if (!PriceInterval.isPrice(mid, halfWidth) || updatedAt > block.timestamp) revert IPriceSource.BadReading();
        unchecked {
            (low, high) = (mid > halfWidth ? mid - halfWidth : 0, mid + halfWidth);
        }
    }

    /// @dev One of the two first slots of `Token`, whole.
    function _word(Token storage stored, uint256 which) private view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(add(stored.slot, which))
        }
    }

    /// @dev A dollar interval divided by that of the asset's first source, as `PriceInterval.divide`.
    function _inAsset(uint256 low, uint256 mid, uint256 high, uint256 updatedAt)
        private
        view
        returns (uint256, uint256, uint256, uint256)
    {
        (uint256 least, uint256 middle, uint256 most, uint256 time) = PricePins.pinned(asset, PricePins.FIRST);
        if (middle == 0) (least, middle, most, time) = _readFirst(asset, _tokens[asset].first);
        if (least == 0) revert IPriceSource.BadReading();
        // As in `PriceInterval.divide`.
        unchecked {
            mid = mid * 1e18 / middle;
            if (!PriceInterval.isPrice(mid, 0)) revert IPriceSource.BadReading();
            (low, high) = (low * 1e18 / most, (high * 1e18 + least - 1) / least);
        }
        return (low, mid, high, time < updatedAt ? time : updatedAt);
    }

    /// @dev The asset's dollar price, or why there is none that can be divided by.
    function _dollar(bool live) private view returns (Price memory dollar, bytes memory failure) {
        if (!live) (dollar.low, dollar.mid, dollar.high, dollar.updatedAt) = PricePins.pinned(asset, PricePins.QUOTE);
        if (dollar.mid == 0) {
            Look memory look;
            look.live = live;
            (dollar, failure) = _accepted(asset, look);
        }
        if (failure.length == 0 && dollar.low == 0) failure = abi.encodeWithSelector(IPriceSource.BadReading.selector);
    }

    /// @dev Whether the breaker lets `mid` pass.
    function _within(Token storage stored, uint256 mid) private view returns (bool) {
        uint256 word = _word(stored, 1);
        (uint256 level, uint256 since, uint256 jump) = (uint128(word), uint64(word >> 128), _jump(word >> 192));
        // The least allowance decides nearly always, and without a square root.
        return level == 0 || PriceInterval.near(mid, level, jump) || PriceInterval.near(mid, level, _allowance(since, jump));
    }

    function _tripped(address token, Token storage stored, uint256 mid) private view returns (bytes memory) {
        uint256 allowance = _allowance(stored.levelAt, _jump(stored.jump));
        return abi.encodeWithSelector(BreakerTripped.selector, token, mid, stored.level, allowance);
    }

    /// @dev jump x sqrt(hours since), with at least one hour.
    function _allowance(uint256 since, uint256 jump) private view returns (uint256) {
        uint256 elapsed = block.timestamp - since;
        if (elapsed <= ACCEPT_INTERVAL) return jump;
        return jump * FixedPointMathLib.sqrt(elapsed * 1e18 / ACCEPT_INTERVAL) / 1e9;
    }

    function _accept(address token, uint256 mid, bool rearmed) private {
        Token storage stored = _tokens[token];
        (stored.level, stored.levelAt) = (uint128(mid), uint64(block.timestamp));
        emit LevelAccepted(token, mid, rearmed);
    }

    /// @dev Counts a price outside the allowance, read at `readAt`.
    function _count(address token, uint256 mid, uint256 readAt) private {
        Token storage stored = _tokens[token];
        (uint256 candidate, uint256 last, uint256 rounds) = (stored.candidate, stored.roundAt, stored.rounds);
        if (rounds != 0) {
            if (readAt <= last) return;
            bool follows = readAt - last <= ROUND_WINDOW && PriceInterval.near(mid, candidate, REARM_BAND);
            if (!follows) rounds = 0;
            else if (readAt - last < ROUND_SPACING) return;
        }
        rounds++;
        emit RoundCounted(token, mid, rounds);
        if (rounds >= REARM_ROUNDS) {
            _forget(stored);
            return _accept(token, mid, true);
        }
        if (rounds == 1) stored.candidate = uint128(mid);
        (stored.roundAt, stored.rounds) = (uint64(readAt), uint8(rounds));
    }

    function _forget(Token storage stored) private {
        (stored.candidate, stored.roundAt, stored.rounds) = (0, 0, 0);
    }

    /// @dev Whether `source` is in dollars; reverts when it cannot price `token`.
    function _inDollars(address token, address source) private view returns (bool) {
        address priced = IPriceSource(source).token();
        if (priced != token) revert WrongToken(source, priced, token);
        address denomination = IPriceSource(source).denomination();
        if (denomination == DOLLAR) return true;
        if (denomination != asset || token == asset) revert WrongDenomination(source, denomination);
        return false;
    }

    function _sources(Token storage stored) private view returns (address[] memory sources) {
        sources = new address[](stored.count);
        for (uint256 i = 0; i < sources.length; i++) {
            sources[i] = i == 0 ? stored.first : stored.others[i - 1];
        }
    }

    function _jump(uint256 stored) private pure returns (uint256) {
        return stored == 0 ? DEFAULT_JUMP : stored;
    }

    function _bubble(bytes memory reason) private pure {
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}
