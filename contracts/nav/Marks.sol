// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {IValuer, Valuation} from "../guard/IValuer.sol";
import {IVault} from "../IVault.sol";
import {IDollarOracle} from "../oracle/IDollarOracle.sol";
import {IPriceOracle} from "../oracle/IPriceOracle.sol";
import {IVolSource} from "../oracle/IVolSource.sol";
import {CarryBound} from "./CarryBound.sol";
import {Coarse} from "./Coarse.sol";
import {IMarks} from "./IMarks.sol";
import {MarkBook, MarkTerms, Term} from "./MarkTerms.sol";

/// @title Marks: the last valuation of a vault, and an interval for now that holds the one a full valuation would give
/// @notice A mark is a valuation in which every venue was priced: the venues' mid, their width, and by underlying the price, the netted
/// delta and the bounds of `MarkTerms`, summed over longs and shorts apart. To carry it to now is to read the primary source of
/// each underlying and nothing of the venues.
///
/// THE CARRIED INTERVAL. With dS the move of an underlying's price since the mark, ds its half-width now, t the time since, and G the greater
/// of the sums of Gsup over long and over short options (`CarryBound`, where the proof is),
///     mid  = idle + venues' mid at the mark + sum D dS + carry in t
///     low  = mid - sum [ 1/2 Gshort dS^2 + decay of longs in t ] - W
///     high = mid + sum [ 1/2 Glong dS^2 + decay of shorts in t ] + W
///     W    = width of the mark that no price causes, and what it may have grown by (`MarkTerms`)
///          + sum [ (|D| + G |dS| + delta's drift in t) ds + 1/2 G ds^2 ] + |carry in t|.
/// What options move by is paid in a token whose price moves too: its move and half-width, times all that the options may have moved by, is added.
/// While no venue changed by itself, a full valuation now lies inside. A venue changes by itself when it does other than follow its positions at
/// our prices and vols: funding beyond its rate at the mark, a liquidation, a loss of its protocol, a protocol's mark that moved.
///
/// NOT CARRIED. A mark older than `maxAge`; a price farther from the mark's than `maxMove`, or without a primary quote; a slice of
/// an underlying with options posted in the mark's block or later; the asset's dollar price changed at all while options are struck in
/// dollars; idle other than entries and exits made it, so that something was settled, synced or given since. A vault strikes anew after
/// every operation of its own, and a stranger's settlement either moves idle or concerns an option that has expired: those, options near
/// expiry, pending orders, Greeks that no option venue lists, unreadable positions and more than MAX_UNDERLYINGS underlyings are
/// not carried at all. A stranger's act that moves no idle is the venue's own change.
///
/// GAS. Reading positions that runs out of it with less than READ_GAS reverts with `IValuer.GasTooLow`, or a caller could choose which marks are
/// carried, and which losses show, by choosing the gas of a transaction.
///
/// PRICES. A live valuation that `price` makes first pins the prices of the last mark's tokens (`IPriceOracle.pinAll`), so that venues, valuer
/// and mark read them once. Which tokens those are changes what it costs and nothing else.
///
/// LOSSES. What a new mid lies under the carried low is a loss that prices, time and what carry earns do not explain. Funding and interest that
/// are paid are losses like others: whoever holds a market off its index and the keeper's key could else pay them to himself. Past `maxAge` and
/// `maxMove` the same formula, as an estimate, explains up to MAX_EXPLAINED seconds. A mark goes on explaining, carried no more, when idle was posted
/// as margin or margin freed since, whose change of the venues is known; when a valuation found something unpriced; when a venue's vol moved, which
/// moves no mid; and when the asset's dollar price changed, by as much wider. Only a slice that was posted, which takes its signers, ends that.
///
/// OTHER SOURCES. A full valuation uses the median and the hull of all sources: how far they stood from the primary at the mark, and their
/// half-width then, are stored and added.
///
/// ASSUMPTIONS. ALL SOURCES OF A TOKEN KEEP TO THE DISTANCE FROM THE FIRST, AND TO THE WIDTH, THAT THEY HAD AT THE MARK. A VOL AT A STRIKE STANDS STILL
/// BETWEEN POSTS, AND A SLICE'S HALF-WIDTH AT SPOT DOES NOT GROW. THE CALLER IS A VAULT; A FALSE ONE DECEIVES ITSELF ALONE.
contract Marks is IMarks, MarkTerms {
    using Math for uint256;
    using SignedMath for int256;
    using Coarse for uint256;

    /// @notice The most that `maxAge` may be.
    uint256 public constant AGE_CEILING = 30 minutes;
    /// @notice The most that `maxMove` may be.
    uint256 public constant MOVE_CEILING = 0.05e18;
    /// @notice The most that `maxCarriedInflow` may be.
    uint256 public constant INFLOW_CEILING = 0.1e18;
    /// @notice Seconds for which a mark explains losses.
    uint256 public constant MAX_EXPLAINED = 1 days;
    /// @notice A move of more than this many times `maxMove` explains any loss.
    uint256 public constant MAX_EXPLAINED_MOVES = 64;
    /// @notice Gas that reading all positions for a mark may take.
    uint256 public constant READ_GAS = 6_000_000;

    uint256 private constant WAD = 1e18;
    /// @dev What is entering where a live valuation is wanted, and the room of one.
    uint256 private constant LIVE = type(uint256).max;
    uint256 private constant MAX_MOVES = MAX_EXPLAINED_MOVES * WAD;
    /// @dev No number of a mark is greater, so that no product below overflows.
    uint256 private constant LARGEST = 2 ** 110 - 1;
    /// @dev Gaps and half-widths of prices are multiples of this fraction at 1e18.
    uint256 private constant STEP = 2e12;
    uint256 private constant BOUND_BITS = 17;
    uint256 private constant MANTISSA_MASK = 2 ** 17 - 1;
    uint256 private constant EXPONENT_MASK = 2 ** 7 - 1;
    uint256 private constant PRICE_BITS = 54;
    uint256 private constant PRICE_MASK = 2 ** 61 - 1;
    uint256 private constant DELTA_BITS = 56;
    uint256 private constant DELTA_MASK = 2 ** 63 - 1;
    /// @dev Prices and deltas are packed to less than one part in 2^52.
    uint256 private constant PACKING_SHIFT = 52;
    uint256 private constant PAYS_OPTIONS = 1 << 160;
    uint256 private constant HAS_OPTIONS = 1 << 161;
    uint256 private constant COUNT_MASK = 0x0f;
    /// @dev Flag of a mark that has an extra word.
    uint256 private constant EXTRA = 0x80;
    /// @dev Flag of a mark that only explains.
    uint256 private constant MOVED = 0x40;
    /// @dev The count of a mark that is not carried.
    uint256 private constant NONE = 0x0f;

    /// @notice A limit above its ceiling, or a `maxMove` of zero.
    error BadLimits(uint256 maxAge, uint256 maxMove, uint256 maxCarriedInflow);

    /// @dev `count` is the number of underlyings, or NONE, with EXTRA and MOVED. One word, which `_head` reads whole.
    struct Head {
        int96 venuesMid;
        int96 idle;
        uint32 struckAt;
        uint8 count;
        uint24 width;
    }

    /// @dev A mark being carried. `age` is a fraction of `maxAge` at 1e18; `paid` what a token that options are paid in moved by and its
    /// half-width, a fraction of its price at 1e18; `dollar` what the asset's dollar price moved by, a fraction of `maxMove` at 1e18.
    struct Sum {
        address oracle;
        address volSource;
        uint256 struckAt;
        uint256 age;
        bool strict;
        uint256 paid;
        uint256 dollar;
        uint256 width;
        uint256 down;
        uint256 up;
        int256 shift;
    }

    /// @inheritdoc IMarks
    uint256 public immutable maxAge;
    /// @inheritdoc IMarks
    uint256 public immutable maxMove;
    /// @inheritdoc IMarks
    uint256 public immutable maxCarriedInflow;

    mapping(address vault => Head) private _heads;
    mapping(address vault => uint256[2 * MAX_UNDERLYINGS]) private _words;
    /// @dev The asset's price in dollars, where options are struck in them, above 96 bits of what carry adds in `maxAge`.
    mapping(address vault => uint256) private _extras;

    /// @param maxAge_           0: no mark is carried.
    /// @param maxMove_          Fraction at 1e18.
    /// @param maxCarriedInflow_ Fraction at 1e18.
    constructor(uint256 maxAge_, uint256 maxMove_, uint256 maxCarriedInflow_) {
        bool above = maxAge_ > AGE_CEILING || maxMove_ > MOVE_CEILING || maxCarriedInflow_ > INFLOW_CEILING;
        if (above || maxMove_ == 0) revert BadLimits(maxAge_, maxMove_, maxCarriedInflow_);
        (maxAge, maxMove, maxCarriedInflow) = (maxAge_, maxMove_, maxCarriedInflow_);
    }

    /// @inheritdoc IMarks
    function price(Ask calldata ask)
        external
        returns (bool priced, int256 low, int256 mid, int256 high, uint256 room, uint256 loss)
    {
        (priced, low, mid, high, room) = _carried(ask);
        if (priced) return (priced, low, mid, high, room, 0);
        _pin(ask.oracle);
        Valuation memory v = IValuer(IVault(msg.sender).valuer()).value(msg.sender);
        if (maxAge != 0) {
            if (v.priced) {
                loss = _unexplained(msg.sender, ask, v.mid);
                _store(msg.sender, v);
            } else {
                // Or a moment without a price would hide what is lost around it.
                _heads[msg.sender].count |= uint8(MOVED);
            }
        }
        return (v.priced, v.low, v.mid, v.high, LIVE, loss);
    }

    /// @inheritdoc IMarks
    function peek(Ask calldata ask)
        external
        view
        returns (bool priced, int256 low, int256 mid, int256 high, uint256 room)
    {
        (priced, low, mid, high, room) = _carried(ask);
        if (priced) return (priced, low, mid, high, room);
        (priced, low, mid, high) = IValuer(IVault(msg.sender).valuer()).interval(msg.sender);
        return (priced, low, mid, high, LIVE);
    }

    /// @inheritdoc IMarks
    function store(address vault, Valuation calldata valuation) external {
        if (msg.sender != IVault(vault).judge()) revert OnlyJudge(msg.sender, vault);
        if (maxAge != 0) _store(vault, valuation);
    }

    /// @inheritdoc IMarks
    function forget() external {
        _heads[msg.sender].count = uint8(NONE);
    }

    /// @inheritdoc IMarks
    function moved(int256 idle, int256 worth) external {
        Head memory head = _heads[msg.sender];
        (int256 left, int256 mid) = (head.idle - idle, head.venuesMid + worth);
        bool fits = left.abs() <= uint96(type(int96).max) && mid.abs() <= uint96(type(int96).max);
        if (fits) (head.idle, head.venuesMid, head.count) = (int96(left), int96(mid), head.count | uint8(MOVED));
        else head.count = uint8(NONE);
        _heads[msg.sender] = head;
    }

    /// @inheritdoc IMarks
    function unexplained(address vault, Ask calldata ask, int256 mid) external view returns (uint256 loss) {
        return _unexplained(vault, ask, mid);
    }

    function _reach() internal view override returns (CarryBound.Reach memory) {
        return CarryBound.Reach(maxAge, maxMove);
    }

    /// @dev What is valued live now asks for the same prices over and over: of the tokens of the last mark, carried or not.
    function _pin(address oracle) private {
        uint256 count = _heads[msg.sender].count & COUNT_MASK;
        if (count == NONE) count = MAX_UNDERLYINGS;
        uint256[2 * MAX_UNDERLYINGS] storage words = _words[msg.sender];
        address[] memory tokens = new address[](count);
        uint256 used;
        while (used < count && words[2 * used] != 0) {
            tokens[used] = address(uint160(words[2 * used]));
            ++used;
        }
        assembly ("memory-safe") {
            mstore(tokens, used)
        }
        if (used != 0) IPriceOracle(oracle).pinAll(tokens);
    }

    /// @dev A valuation that cannot be carried leaves a mark that is not.
    function _store(address vault, Valuation memory v) private {
        Head memory head;
        head.count = uint8(NONE);
        head.struckAt = uint32(block.timestamp);
        int256 venuesMid = v.mid - int256(v.idle);
        bool fits = v.idle <= uint96(type(int96).max) && venuesMid.abs() <= uint96(type(int96).max);
        if (v.priced && fits) {
            uint256 available = gasleft();
            try this.markBook{gas: READ_GAS}(vault, v) returns (MarkBook memory book) {
                head.venuesMid = int96(venuesMid);
                head.idle = int96(uint96(v.idle));
                _write(vault, head, book);
            } catch {
                _owed(available);
            }
        }
        _heads[vault] = head;
    }

    /// @dev What ran out of gas says nothing. With less than READ_GAS to spend (EIP-150 keeps back a 64th) that proves nothing.
    function _owed(uint256 available) private pure {
        uint256 needed = READ_GAS + READ_GAS / 63 + 10_000;
        uint256 said;
        assembly ("memory-safe") {
            said := returndatasize()
        }
        if (said == 0 && available < needed) revert IValuer.GasTooLow(available, needed);
    }

    /// @dev Leaves `head` not carried where a number does not fit.
    function _write(address vault, Head memory head, MarkBook memory book) private {
        uint256 rounded = book.width;
        for (uint256 i; i < book.terms.length; ++i) {
            Term memory t = book.terms[i];
            if (!_fits(t)) return;
            rounded += (t.delta.abs().mulDiv(t.price, WAD) >> PACKING_SHIFT) + 1;
            (_words[vault][2 * i], _words[vault][2 * i + 1]) = (_packHead(t), _packBody(t));
        }
        if (rounded > LARGEST || book.dollar >> 160 != 0) return;
        head.width = uint24(rounded.packUp(BOUND_BITS));
        uint256 flags = book.terms.length;
        if (book.dollar != 0 || book.carry != 0) {
            if (book.carry.abs() > uint96(type(int96).max)) return;
            flags |= EXTRA;
            _extras[vault] = (book.dollar << 96) | uint96(int96(book.carry));
        }
        head.count = uint8(flags);
    }

    function _fits(Term memory t) private pure returns (bool) {
        if (t.gap.ceilDiv(STEP) > type(uint16).max || t.halfWidth.ceilDiv(STEP) > type(uint16).max) return false;
        // An option paid in its own underlying is not what the cross terms bound.
        if (t.paysOptions && t.hasOptions) return false;
        uint256 all = t.curveLong | t.curveShort | t.decayLong | t.decayShort | t.slope | t.drift | t.gross;
        return all <= LARGEST;
    }

    /// @dev Token in 160 bits, two flags, a spare bit, price in 61, half-width and gap in 16 each.
    function _packHead(Term memory t) private pure returns (uint256 word) {
        word = uint160(t.underlying);
        if (t.paysOptions) word |= PAYS_OPTIONS;
        if (t.hasOptions) word |= HAS_OPTIONS;
        word |= t.price.pack(PRICE_BITS) << 163;
        word |= t.halfWidth.ceilDiv(STEP) << 224 | t.gap.ceilDiv(STEP) << 240;
    }

    /// @dev Seven bounds in 24 bits each, 24 spare, delta in 63 and its sign.
    function _packBody(Term memory t) private pure returns (uint256 word) {
        word = t.curveLong.packUp(BOUND_BITS) | t.curveShort.packUp(BOUND_BITS) << 24;
        word |= t.decayLong.packUp(BOUND_BITS) << 48 | t.decayShort.packUp(BOUND_BITS) << 72;
        word |= t.slope.packUp(BOUND_BITS) << 96 | t.drift.packUp(BOUND_BITS) << 120;
        word |= t.gross.packUp(BOUND_BITS) << 144 | t.delta.abs().pack(DELTA_BITS) << 192;
        if (t.delta < 0) word |= 1 << 255;
    }

    /// @dev The `Head` of `vault` in one read.
    function _head(address vault) private view returns (uint256 word) {
        Head storage head = _heads[vault];
        assembly ("memory-safe") {
            word := sload(head.slot)
        }
    }

    function _struckAt(uint256 head) private pure returns (uint256) {
        return uint32(head >> 192);
    }

    function _idleAt(uint256 head) private pure returns (int256) {
        return int96(uint96(head >> 96));
    }

    /// @dev The carried interval; `valid` is false where there is none, it is not above zero or it has no room for what is entering.
    function _carried(Ask calldata ask)
        private
        view
        returns (bool valid, int256 low, int256 mid, int256 high, uint256 room)
    {
        uint256 head = _head(msg.sender);
        (uint256 struckAt, int256 idle) = (_struckAt(head), int256(ask.idle));
        // An idle or a flow of more than 2^200 is no vault's.
        unchecked {
            bool old = struckAt == 0 || block.timestamp > struckAt + maxAge || uint8(head >> 224) & MOVED != 0;
            if (old || ask.entering == LIVE || idle != _idleAt(head) + ask.flow) {
                return (false, 0, 0, 0, 0);
            }
            (valid, low, mid, high) = _carry(msg.sender, head, ask, idle, true);
            int256 most = (low * int256(maxCarriedInflow)) / int256(WAD) - ask.flow;
            if (most > 0) room = uint256(most);
            valid = valid && low > 0 && room >= ask.entering;
        }
    }

    function _unexplained(address vault, Ask calldata ask, int256 mid) private view returns (uint256 loss) {
        uint256 head = _head(vault);
        uint256 struckAt = _struckAt(head);
        if (struckAt == 0 || block.timestamp > struckAt + MAX_EXPLAINED) return 0;
        (bool known, int256 low,,) = _carry(vault, head, ask, _idleAt(head) + ask.flow, false);
        if (known && mid < low) loss = uint256(low - mid);
    }

    function _carry(address vault, uint256 head, Ask calldata ask, int256 idle, bool strict)
        private
        view
        returns (bool valid, int256 low, int256 mid, int256 high)
    {
        uint256 flags = uint8(head >> 224);
        uint256 count = flags & COUNT_MASK;
        if (count == NONE) return (false, 0, 0, 0);
        Sum memory sum;
        (sum.oracle, sum.volSource, sum.struckAt, sum.strict) = (ask.oracle, ask.volSource, _struckAt(head), strict);
        // What each of eight underlyings adds is under 2^180.
        unchecked {
            sum.age = ((block.timestamp - sum.struckAt) * WAD + maxAge - 1) / maxAge;
            sum.width = (head >> 232).unpack(BOUND_BITS);
            sum.shift = int96(uint96(head));
            if (flags & EXTRA != 0 && !_addExtra(sum, _extras[vault])) return (false, 0, 0, 0);
            uint256[2 * MAX_UNDERLYINGS] storage words = _words[vault];
            for (uint256 i; i < count; ++i) {
                if (!_add(sum, words[2 * i], words[2 * i + 1])) return (false, 0, 0, 0);
            }
            mid = idle + sum.shift;
            low = mid - int256(sum.width + sum.down);
            high = mid + int256(sum.width + sum.up);
            valid = true;
        }
    }

    /// @dev Carry, and the dollar price that must not have changed.
    function _addExtra(Sum memory sum, uint256 word) private view returns (bool) {
        int256 earned = (int256(int96(uint96(word))) * int256(sum.age)) / int256(WAD);
        if (!sum.strict && earned < 0) earned = 0;
        sum.shift += earned;
        sum.width += earned.abs() + 1;
        if (word >> 96 == 0) return true;
        try IDollarOracle(sum.oracle).assetQuote() returns (uint256, uint256 mid, uint256, uint256) {
            uint256 was = word >> 96;
            if (mid == was) return true;
            if (sum.strict || mid > LARGEST) return false;
            sum.dollar = (((mid > was ? mid - was : was - mid) * WAD) / was + 1) * WAD / maxMove + 1;
            return sum.dollar <= MAX_MOVES;
        } catch {
            return false;
        }
    }

    /// @dev Adds one underlying; false where the mark is not carried because of it.
    function _add(Sum memory sum, uint256 head, uint256 body) private view returns (bool) {
        address underlying = address(uint160(head));
        if (head & HAS_OPTIONS != 0) {
            IVolSource vols = IVolSource(sum.volSource);
            if ((sum.strict ? vols.postedAt(underlying) : vols.slicedAt(underlying)) >= sum.struckAt) return false;
        }
        try IPriceOracle(sum.oracle).primary(underlying) returns (uint256 low, uint256 mid, uint256 high, uint256) {
            if (low > mid || mid > high || high > LARGEST) return false;
            return _addAt(sum, head, body, mid, Math.max(mid - low, high - mid));
        } catch {
            return false;
        }
    }

    /// @dev The same at the price `mid` with the half-width `half`, both at most 2^110, as are the mark's price, its delta (the valuer's bounds) and
    /// the two multiplied.
    function _addAt(Sum memory sum, uint256 head, uint256 body, uint256 mid, uint256 half) private view returns (bool) {
        // Fractions of prices are under 2^57 at 1e18; what is at most 64 x `maxMove` of the mark's price takes 2 bits more than it.
        unchecked {
            uint256 was = ((head >> 163) & PRICE_MASK).unpack(PRICE_BITS);
            uint256 unit = (was * maxMove) / WAD;
            if (unit == 0) return false;
            uint256 gap = (mid * (head >> 240) * STEP) / WAD + 1;
            half = Math.max(half, ((mid + gap) * ((head >> 224) & 0xffff) * STEP) / WAD + 1);
            uint256 distance = (mid > was ? mid - was : was - mid) + gap;
            uint256 move = (distance * WAD) / unit + 1;
            uint256 reach = (half * WAD) / unit + 1;
            if (move > (sum.strict ? WAD : MAX_MOVES) || reach > MAX_MOVES) return false;

            uint256 delta = ((body >> 192) & DELTA_MASK).unpack(DELTA_BITS);
            int256 shift = int256(delta) * (int256(mid) - int256(was)) / int256(WAD);
            sum.shift += body >> 255 == 0 ? shift : -shift;
            _bound(sum, head, body, move, reach);
            sum.width += (delta * (gap + half)) / WAD + 3;
            if (head & PAYS_OPTIONS != 0) sum.paid = Math.max(sum.paid, ((distance + half) * WAD) / was + 1);
            return true;
        }
    }

    /// @dev What options and venues' own widths add. `move` and `reach`, the price's half-width, are fractions of `maxMove`.
    function _bound(Sum memory sum, uint256 head, uint256 body, uint256 move, uint256 reach) private pure {
        // Bounds and the width of the book are at most 2^110, fractions of the reach under 2^81, `paid` under 2^63: no product passes 2^256.
        unchecked {
            uint256 width = _times(_bits(body, 96), move);
            if (head & HAS_OPTIONS != 0) {
                (uint256 long, uint256 short) = (_bits(body, 0), _bits(body, 24));
                uint256 square = (move * move) / WAD + 1;
                uint256 down = _times(short, square) + _times(_bits(body, 48), sum.age);
                uint256 up = _times(long, square) + _times(_bits(body, 72), sum.age);
                // G |dS| ds + 1/2 G ds^2 = 1/2 G ds (2 |dS| + ds)
                width += _times(Math.max(long, short), (reach * (2 * move + reach)) / WAD + 1);
                width += _times(_times(_bits(body, 120), sum.age), Math.max(reach, WAD));
                // Strikes in dollars move with it against spot.
                if (sum.dollar != 0) width += _times(_bits(body, 144), sum.dollar);
                if (sum.paid != 0) {
                    width += _times(_times(_bits(body, 144), move + reach) + down + up + width + sum.width, sum.paid);
                }
                sum.down += down;
                sum.up += up;
            }
            sum.width += width;
        }
    }

    /// @dev `unpack` of the bound at `at`, with its masks at hand.
    function _bits(uint256 body, uint256 at) private pure returns (uint256) {
        return ((body >> at) & MANTISSA_MASK) << ((body >> at >> BOUND_BITS) & EXPONENT_MASK);
    }

    /// @dev `number` times a fraction at 1e18, rounded up.
    function _times(uint256 number, uint256 fraction) private pure returns (uint256) {
        // As in `_bound`.
        unchecked {
            return number == 0 ? 0 : (number * fraction) / WAD + 1;
        }
    }
}
