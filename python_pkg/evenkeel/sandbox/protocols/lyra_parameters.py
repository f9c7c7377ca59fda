"""Lyra's ten parameter structs on the sandbox, field by field in the order of its ABI.

The values are those of Lyra's own package (`defaultParams.js`) unless a comment says what was changed and why.
"""

from typing import Final

WAD: Final = 10**18
HOUR: Final = 3600
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
ZERO: Final = "0x0000000000000000000000000000000000000000"
SECURITY_MODULE: Final = "0xEfeefEEfeeFEEfeefeEfEEfEeFEefeefEEfeeFeE"
"""Where Lyra sends its share of fees; it must not be zero. The sandbox has nobody there."""

Struct = dict[str, int | str | bool]


def wad(text: str) -> int:
    """Return a decimal number as an integer at 1e18, exactly: `wad("0.0005")`."""
    whole, _, fraction = text.partition(".")
    sign = -1 if whole.startswith("-") else 1
    return sign * (abs(int(whole or "0")) * WAD + int((fraction + "0" * 18)[:18]))


OPTION_MARKET: Final[Struct] = {
    "maxBoardExpiry": 365 * DAY,
    "securityModule": SECURITY_MODULE,
    "feePortionReserved": wad("0.1"),
    "staticBaseSettlementFee": wad("0.0075"),
}

LIQUIDITY_POOL: Final[Struct] = {
    "minDepositWithdraw": WAD,
    "depositDelay": WEEK,
    "withdrawalDelay": WEEK,
    "withdrawalFee": wad("0.01"),
    # Lyra's circuit breakers stop deposits and withdrawals of its liquidity providers, never trades; the sandbox's one
    # provider stays in, so its thresholds are Lyra's own.
    "liquidityCBThreshold": wad("0.01"),
    "liquidityCBTimeout": 3 * DAY,
    "ivVarianceCBThreshold": wad("0.1"),
    "skewVarianceCBThreshold": wad("0.35"),
    "ivVarianceCBTimeout": 12 * HOUR,
    "skewVarianceCBTimeout": 12 * HOUR,
    "guardianMultisig": ZERO,
    "guardianDelay": 2 * WEEK,
    "boardSettlementCBTimeout": 6 * HOUR,
    "maxFeePaid": wad("0.01"),
}

POOL_HEDGER: Final[Struct] = {"interactionDelay": DAY, "hedgeCap": 2**256 - 1}
SHORT_BUFFER: Final = wad("2")

GREEK_CACHE: Final[Struct] = {
    "maxStrikesPerBoard": 30,
    "acceptableSpotPricePercentMove": wad("0.05"),
    "staleUpdateDuration": 3 * HOUR,
    "varianceIvGWAVPeriod": DAY,
    "varianceSkewGWAVPeriod": 3 * DAY,
    "optionValueIvGWAVPeriod": DAY,
    "optionValueSkewGWAVPeriod": 3 * DAY,
    "gwavSkewFloor": wad("0.5"),
    "gwavSkewCap": wad("2"),
    # 5% by default, which would put Lyra's forward above the spot that the vault values options on.
    "rateAndCarry": 0,
}

MIN_COLLATERAL: Final[Struct] = {
    "minStaticQuoteCollateral": wad("200"),
    "minStaticBaseCollateral": wad("0.2"),
    "shockVolA": wad("2.5"),
    "shockVolPointA": 2 * WEEK,
    "shockVolB": wad("1.8"),
    "shockVolPointB": 8 * WEEK,
    "callSpotPriceShock": wad("1.2"),
    "putSpotPriceShock": wad("0.8"),
}

FORCE_CLOSE: Final[Struct] = {
    "ivGWAVPeriod": 12 * HOUR,
    "skewGWAVPeriod": 24 * HOUR,
    "shortVolShock": wad("1.2"),
    "shortPostCutoffVolShock": wad("1.4"),
    "longVolShock": wad("0.8"),
    "longPostCutoffVolShock": wad("0.5"),
    "liquidateVolShock": wad("1.3"),
    "liquidatePostCutoffVolShock": wad("1.6"),
    "shortSpotMin": wad("0.01"),
    "liquidateSpotMin": wad("0.02"),
}

PRICING: Final[Struct] = {
    "optionPriceFeeCoefficient": wad("0.01"),
    "optionPriceFee1xPoint": 6 * WEEK,
    "optionPriceFee2xPoint": 16 * WEEK,
    # 1% of spot an option by default: more than the vault may lose in one call on 60 straddles.
    "spotPriceFeeCoefficient": wad("0.0005"),
    "spotPriceFee1xPoint": 6 * WEEK,
    "spotPriceFee2xPoint": 12 * WEEK,
    "vegaFeeCoefficient": wad("100"),
    # 5 by default, at which 60 straddles would move the board by 24 vol points.
    "standardSize": wad("100"),
    # 0.75 by default. The market actor moves a whole board by trading its middle strike; with a skew impact those
    # trades would leave a spike of vol at that one strike.
    "skewAdjustmentFactor": 0,
}

TRADE_LIMITS: Final[Struct] = {
    "minDelta": wad("0.15"),
    "minForceCloseDelta": wad("0.25"),
    "tradingCutoff": DAY // 2,
    # 0.35 to 2.0 and a vol floor of 0.55 by default, which a calm price path leaves; a crash may pass 2.0.
    "minBaseIV": wad("0.15"),
    "maxBaseIV": wad("5"),
    "minSkew": wad("0.5"),
    "maxSkew": wad("1.5"),
    "minVol": wad("0.15"),
    "maxVol": wad("5"),
    "absMinSkew": wad("0.15"),
    "absMaxSkew": wad("5"),
    "capSkewsToAbs": False,
}

VARIANCE_FEE: Final[Struct] = {
    "defaultVarianceFeeCoefficient": wad("0.25"),
    "forceCloseVarianceFeeCoefficient": wad("0.25"),
    "skewAdjustmentCoefficient": wad("3"),
    "referenceSkew": WAD,
    "minimumStaticSkewAdjustment": WAD,
    "vegaCoefficient": wad("0.01"),
    "minimumStaticVega": 0,
    "ivVarianceCoefficient": wad("1.5"),
    "minimumStaticIvVariance": WAD,
}

PARTIAL_COLLATERAL: Final[Struct] = {
    "penaltyRatio": wad("0.2"),
    "liquidatorFeeRatio": wad("0.4"),
    "smFeeRatio": wad("0.3"),
    "minLiquidationFee": wad("15"),
}

EXCHANGE_FEE_FOR_BASE: Final = wad("0.0075")
EXCHANGE_FEE_FOR_QUOTE: Final = wad("0.005")
