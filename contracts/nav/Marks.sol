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
import {MarkTerms} from "./MarkTerms.sol";
import {MarkWords} from "./MarkWords.sol";

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
/// A valuation goes to `bookWords` in the bytes in which the valuer or the judge wrote it, and comes back as the words to store: to decode and encode
/// what nobody looks at took a tenth of an entry that marks.
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
    /// @notice A limit above its ceiling, or a `maxMove` of zero.
    error BadLimits(uint256 maxAge, uint256 maxMove, uint256 maxCarriedInflow);

    /// @dev A mark being carried. `age` is a fraction of `maxAge` at 1e18; `paid` what a token that options are paid in moved by and its
    /// half-width, a fraction of its price at 1e18; `dollar` what the asset's dollar price moved by, a fraction of `maxMove` at 1e18.
    struct Sum {
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

    /// @dev Heads, the underlyings' words and extra words, as `MarkWords` lays them out.
    mapping(address vault => uint256) private _heads;
    mapping(address vault => uint256[2 * MAX_UNDERLYINGS]) private _words;
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
        if (!priced) (priced, low, mid, high, room, loss) = _live(ask);
    }

    /// @inheritdoc IMarks
    function peek(Ask calldata ask)
        external
        view
        returns (bool priced, int256 low, int256 mid, int256 high, uint256 room)
    {
        (priced, low, mid, high, room) = _carried(ask);
        if (!priced) {
            (priced, low, mid, high) = IValuer(IVault(msg.sender).valuer()).interval(msg.sender);
            room = LIVE;
        }
    }

    /// @inheritdoc IMarks
    function store(address vault, Valuation calldata valuation) external {
        if (msg.sender != IVault(vault).judge()) revert OnlyJudge(msg.sender, vault);
        if (maxAge == 0) return;
        if (!valuation.priced) _heads[vault] = MarkWords.notCarried();
        else _store(vault, valuation.mid, valuation.idle, bytes.concat(this.bookWords.selector, msg.data[4:]));
    }

    /// @inheritdoc IMarks
    function forget() external {
        _heads[msg.sender] |= MarkWords.NONE << MarkWords.COUNT_AT;
    }

    /// @inheritdoc IMarks
    function moved(int256 idle, int256 worth) external {
        uint256 head = _heads[msg.sender];
        (int256 left, int256 mid) = (MarkWords.idleAt(head) - idle, MarkWords.midAt(head) + worth);
        if (!MarkWords.fit(left, mid)) {
            _heads[msg.sender] = head | (MarkWords.NONE << MarkWords.COUNT_AT);
            return;
        }
        head = (head >> MarkWords.STRUCK_AT << MarkWords.STRUCK_AT) | (MarkWords.MOVED << MarkWords.COUNT_AT);
        _heads[msg.sender] = head | MarkWords.amounts(left, mid);
    }

    /// @notice What to store of `v`, a valuation of `vault` made now, as `MarkWords.pack` says. Reverts where it cannot be carried. Called on this
    /// contract itself.
    function bookWords(address vault, Valuation calldata v) external view returns (uint256[] memory) {
        return MarkWords.pack(_markBook(vault, v));
    }

    /// @inheritdoc IMarks
    function unexplained(address vault, Ask calldata ask, int256 mid) external view returns (uint256 loss) {
        return _unexplained(vault, ask, mid);
    }

    function _reach() internal view override returns (CarryBound.Reach memory) {
        return CarryBound.Reach(maxAge, maxMove);
    }

    /// @dev What `price` answers where nothing is carried.
    function _live(Ask calldata ask)
        private
        returns (bool priced, int256 low, int256 mid, int256 high, uint256 room, uint256 loss)
    {
        _pin(ask.oracle);
        bytes memory valued = _valued();
        uint256 idle;
        (priced, low, mid, high, idle) = _figures(valued);
        room = LIVE;
        if (maxAge == 0) return (priced, low, mid, high, room, 0);
        if (priced) {
            loss = _unexplained(msg.sender, ask, mid);
            _store(msg.sender, mid, idle, valued);
        } else {
            // Or a moment without a price would hide what is lost around it.
            _heads[msg.sender] |= MarkWords.MOVED << MarkWords.COUNT_AT;
        }
    }

    /// @dev What is valued live now asks for the same prices over and over: of the tokens of the last mark, carried or not.
    function _pin(address oracle) private {
        uint256 count = (_heads[msg.sender] >> MarkWords.COUNT_AT) & MarkWords.COUNT_MASK;
        if (count == MarkWords.NONE) count = MAX_UNDERLYINGS;
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

    /// @dev The caller's valuation as a call of `bookWords`: what the valuer wrote after its offset is what lies after that of an argument.
    function _valued() private view returns (bytes memory data) {
        address valuer = IVault(msg.sender).valuer();
        (bytes4 value, bytes4 book) = (IValuer.value.selector, this.bookWords.selector);
        assembly ("memory-safe") {
            data := mload(0x40)
            mstore(data, value)
            mstore(add(data, 4), caller())
            if iszero(staticcall(gas(), valuer, data, 0x24, 0, 0x20)) {
                returndatacopy(data, 0, returndatasize())
                revert(data, returndatasize())
            }
            // Its head alone takes eleven words, the offset among them.
            if or(lt(returndatasize(), 0x160), xor(mload(0), 0x20)) { revert(0, 0) }
            // Length, selector, vault and offset take 0x64 bytes, and the first word of the answer is left out.
            mstore(data, add(returndatasize(), 0x24))
            mstore(add(data, 0x20), book)
            mstore(add(data, 0x24), caller())
            mstore(add(data, 0x44), 0x40)
            returndatacopy(add(data, 0x64), 0x20, sub(returndatasize(), 0x20))
            mstore(0x40, and(add(add(data, returndatasize()), 0x63), not(0x1f)))
        }
    }

    /// @dev Of `_valued`.
    function _figures(bytes memory data)
        private
        pure
        returns (bool priced, int256 low, int256 mid, int256 high, uint256 idle)
    {
        assembly ("memory-safe") {
            priced := iszero(iszero(mload(add(data, 0x64))))
            low := mload(add(data, 0x84))
            mid := mload(add(data, 0xa4))
            high := mload(add(data, 0xc4))
            idle := mload(add(data, 0xe4))
        }
    }

    /// @dev A valuation that cannot be carried leaves a mark that is not. `data` is one of `bookWords`.
    function _store(address vault, int256 mid, uint256 idle, bytes memory data) private {
        uint256 head = MarkWords.notCarried();
        int256 venuesMid = mid - int256(idle);
        if (idle <= uint96(type(int96).max) && MarkWords.fit(int256(idle), venuesMid)) {
            uint256 available = gasleft();
            (bool done, uint256[] memory words) = _book(data);
            if (!done) _owed(available);
            else if (words.length != 0) head = _write(vault, words) | MarkWords.amounts(int256(idle), venuesMid);
        }
        _heads[vault] = head;
    }

    /// @dev The answer of this contract to `data`, which may take READ_GAS.
    function _book(bytes memory data) private view returns (bool done, uint256[] memory words) {
        uint256 allowance = READ_GAS;
        assembly ("memory-safe") {
            done := staticcall(allowance, address(), add(data, 0x20), mload(data), 0, 0)
            if done {
                // An offset, and then the array as it lies in memory.
                words := add(mload(0x40), 0x20)
                returndatacopy(mload(0x40), 0, returndatasize())
                mstore(0x40, add(mload(0x40), returndatasize()))
            }
        }
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

    /// @dev Stores what `MarkWords.pack` made, but for its count and width, which with the time it returns.
    function _write(address vault, uint256[] memory words) private returns (uint256 head) {
        head = words[0] | (uint256(uint32(block.timestamp)) << MarkWords.STRUCK_AT);
        if (words[0] & (MarkWords.EXTRA << MarkWords.COUNT_AT) != 0) _extras[vault] = words[1];
        for (uint256 i = 2; i < words.length; ++i) {
            _words[vault][i - 2] = words[i];
        }
    }

    /// @dev The carried interval; `valid` is false where there is none, it is not above zero or it has no room for what is entering.
    function _carried(Ask calldata ask)
        private
        view
        returns (bool valid, int256 low, int256 mid, int256 high, uint256 room)
    {
        uint256 head = _heads[msg.sender];
        (uint256 struckAt, int256 idle) = (MarkWords.struckAt(head), int256(ask.idle));
        // An idle or a flow of more than 2^200 is no vault's.
        unchecked {
            bool old = struckAt == 0 || block.timestamp > struckAt + maxAge || head & (MarkWords.MOVED << MarkWords.COUNT_AT) != 0;
            if (old || ask.entering == LIVE || idle != MarkWords.idleAt(head) + ask.flow) {
                return (false, 0, 0, 0, 0);
            }
            (bool known, Sum memory sum) = _carry(msg.sender, head, ask, true);
            if (!known) return (false, 0, 0, 0, 0);
            mid = idle + sum.shift;
            low = mid - int256(sum.width + sum.down);
            high = mid + int256(sum.width + sum.up);
            int256 most = (low * int256(maxCarriedInflow)) / int256(WAD) - ask.flow;
            if (most > 0) room = uint256(most);
            valid = low > 0 && room >= ask.entering;
        }
    }

    function _unexplained(address vault, Ask calldata ask, int256 mid) private view returns (uint256 loss) {
        uint256 head = _heads[vault];
        uint256 struckAt = MarkWords.struckAt(head);
        if (struckAt == 0 || block.timestamp > struckAt + MAX_EXPLAINED) return 0;
        (bool known, Sum memory sum) = _carry(vault, head, ask, false);
        if (!known) return 0;
        int256 low = MarkWords.idleAt(head) + ask.flow + sum.shift - int256(sum.width + sum.down);
        if (mid < low) loss = uint256(low - mid);
    }

    /// @dev By what the mark moved to now; not `known` where that cannot be said.
    function _carry(address vault, uint256 head, Ask calldata ask, bool strict)
        private
        view
        returns (bool known, Sum memory sum)
    {
        // What each of eight underlyings adds is under 2^180.
        unchecked {
            uint256 count = (head >> MarkWords.COUNT_AT) & MarkWords.COUNT_MASK;
            if (count == MarkWords.NONE) return (false, sum);
            sum.strict = strict;
            sum.age = ((block.timestamp - MarkWords.struckAt(head)) * WAD + maxAge - 1) / maxAge;
            sum.width = (head >> MarkWords.WIDTH_AT).unpack(MarkWords.BOUND_BITS);
            sum.shift = MarkWords.midAt(head);
            if (head & (MarkWords.EXTRA << MarkWords.COUNT_AT) != 0) {
                if (count == 0) _addCarry(sum, int256(_extras[vault]));
                else if (!_addDollar(sum, ask.oracle, _extras[vault])) return (false, sum);
            }
            uint256[2 * MAX_UNDERLYINGS] storage words = _words[vault];
            for (uint256 i; i < count; ++i) {
                (uint256 first, uint256 body) = (words[2 * i], words[2 * i + 1]);
                if (i == 0) {
                    int256 carry = int256(MarkWords.bound(body, MarkWords.CARRY_AT));
                    _addCarry(sum, first & MarkWords.CARRY_IS_NEGATIVE == 0 ? carry : -carry);
                }
                if (first & MarkWords.HAS_OPTIONS != 0 && _posted(ask, first, strict) >= MarkWords.struckAt(head)) return (false, sum);
                if (!_add(sum, ask, first, body)) return (false, sum);
            }
        }
        return (true, sum);
    }

    /// @dev `carry`, of 97 bits at most, is what is earned in `maxAge`.
    function _addCarry(Sum memory sum, int256 carry) private pure {
        if (carry == 0) return;
        // A day is under 2^77 at 1e18 of the shortest `maxAge`.
        unchecked {
            int256 earned = (carry * int256(sum.age)) / int256(WAD);
            if (!sum.strict && earned < 0) earned = 0;
            sum.shift += earned;
            sum.width += earned.abs() + 1;
        }
    }

    /// @dev The asset's dollar price, which was `was` and must not have changed.
    function _addDollar(Sum memory sum, address oracle, uint256 was) private view returns (bool) {
        try IDollarOracle(oracle).assetQuote() returns (uint256, uint256 mid, uint256, uint256) {
            if (mid == was) return true;
            if (sum.strict || mid > MarkWords.LARGEST) return false;
            sum.dollar = (((mid > was ? mid - was : was - mid) * WAD) / was + 1) * WAD / maxMove + 1;
            return sum.dollar <= MAX_MOVES;
        } catch {
            return false;
        }
    }

    /// @dev When a vol of the underlying in `head` was last posted, or where a mark only explains, a slice.
    function _posted(Ask calldata ask, uint256 head, bool strict) private view returns (uint256) {
        (IVolSource vols, address underlying) = (IVolSource(ask.volSource), address(uint160(head)));
        return strict ? vols.postedAt(underlying) : vols.slicedAt(underlying);
    }

    /// @dev Adds one underlying; false where the mark is not carried because of it.
    function _add(Sum memory sum, Ask calldata ask, uint256 head, uint256 body) private view returns (bool) {
        (uint256 low, uint256 mid, uint256 high) = _primary(ask, head);
        if (low > mid || mid > high || high > MarkWords.LARGEST) return false;
        unchecked {
            return _addAt(sum, head, body, mid, Math.max(mid - low, high - mid));
        }
    }

    /// @dev `IPriceOracle.primary` of the underlying in `head`; out of order where it does not answer. By hand, as it is in every entry.
    function _primary(Ask calldata ask, uint256 head) private view returns (uint256 low, uint256 mid, uint256 high) {
        bytes4 selector = IPriceOracle.primary.selector;
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, selector)
            mstore(add(at, 4), shr(96, shl(96, head)))
            low := 1
            // The oracle is the first that an `Ask` says.
            if staticcall(gas(), calldataload(ask), at, 0x24, at, 0x80) {
                if gt(returndatasize(), 0x7f) {
                    low := mload(at)
                    mid := mload(add(at, 0x20))
                    high := mload(add(at, 0x40))
                }
            }
        }
    }

    /// @dev The same at the price `mid` with the half-width `half`, both at most 2^110, as are the mark's price, its delta (the valuer's bounds) and
    /// the two multiplied.
    function _addAt(Sum memory sum, uint256 head, uint256 body, uint256 mid, uint256 half) private view returns (bool) {
        // Fractions of prices are under 2^57 at 1e18; what is at most 64 x `maxMove` of the mark's price takes 2 bits more than it.
        unchecked {
            uint256 was = ((head >> 163) & MarkWords.PRICE_MASK).unpack(MarkWords.PRICE_BITS);
            uint256 unit = (was * maxMove) / WAD;
            if (unit == 0) return false;
            uint256 gap = (mid * (head >> 240) * MarkWords.STEP) / WAD + 1;
            half = Math.max(half, ((mid + gap) * ((head >> 224) & 0xffff) * MarkWords.STEP) / WAD + 1);
            uint256 distance = (mid > was ? mid - was : was - mid) + gap;
            uint256 move = (distance * WAD) / unit + 1;
            uint256 reach = (half * WAD) / unit + 1;
            if (move > (sum.strict ? WAD : MAX_MOVES) || reach > MAX_MOVES) return false;

            uint256 delta = ((body >> 192) & MarkWords.DELTA_MASK).unpack(MarkWords.DELTA_BITS);
            int256 shift = int256(delta) * (int256(mid) - int256(was)) / int256(WAD);
            sum.shift += body >> 255 == 0 ? shift : -shift;
            _bound(sum, head, body, move, reach);
            sum.width += (delta * (gap + half)) / WAD + 3;
            if (head & MarkWords.PAYS_OPTIONS != 0) sum.paid = Math.max(sum.paid, ((distance + half) * WAD) / was + 1);
            return true;
        }
    }

    /// @dev What options and venues' own widths add. `move` and `reach`, the price's half-width, are fractions of `maxMove`.
    function _bound(Sum memory sum, uint256 head, uint256 body, uint256 move, uint256 reach) private pure {
        // Bounds and the width of the book are at most 2^110, fractions of the reach under 2^81, `paid` under 2^63: no product passes 2^256.
        unchecked {
            uint256 width = _times(MarkWords.bound(body, 96), move);
            if (head & MarkWords.HAS_OPTIONS != 0) {
                (uint256 long, uint256 short) = (MarkWords.bound(body, 0), MarkWords.bound(body, 24));
                uint256 square = (move * move) / WAD + 1;
                uint256 down = _times(short, square) + _times(MarkWords.bound(body, 48), sum.age);
                uint256 up = _times(long, square) + _times(MarkWords.bound(body, 72), sum.age);
                // G |dS| ds + 1/2 G ds^2 = 1/2 G ds (2 |dS| + ds)
                width += _times(Math.max(long, short), (reach * (2 * move + reach)) / WAD + 1);
                width += _times(_times(MarkWords.bound(body, 120), sum.age), Math.max(reach, WAD));
                // Strikes in dollars move with it against spot.
                if (sum.dollar != 0) width += _times(MarkWords.bound(body, 144), sum.dollar);
                if (sum.paid != 0) {
                    width += _times(_times(MarkWords.bound(body, 144), move + reach) + down + up + width + sum.width, sum.paid);
                }
                sum.down += down;
                sum.up += up;
            }
            sum.width += width;
        }
    }

    /// @dev `number` times a fraction at 1e18, rounded up.
    function _times(uint256 number, uint256 fraction) private pure returns (uint256) {
        // As in `_bound`.
        unchecked {
            return number == 0 ? 0 : (number * fraction) / WAD + 1;
        }
    }
}
