/* The speed to compare with: Black-76 and its implied volatility in plain C that a compiler vectorises, because every step is arithmetic and selection.
 *
 * Inputs are positive, finite, normal doubles with years and vol above 0; nothing is checked. reference.py compiles and calls this file.
 * Sources: Black (1976); erfcx by Shepherd and Laframboise, Math. Comp. 36 (1981), coefficients our own (see evenkeel.pricing); the starting point of the
 * implied volatility is the lower bound of Choi, Huh and Su, arXiv 2302.08758, with Winitzki's inverse of erf in it.
 */

#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* Where a price comes from its complement instead of a difference: a lead in the normal distribution's upper part. */
#define DEEP 0.35

static const double LN2_HIGH = 6.93147180369123816490e-01;
static const double LN2_LOW = 1.90821492927058770002e-10;
static const double SQRT_HALF = 0.70710678118654752440;
static const double SQRT_TWO_PI = 2.50662827463100050242;
static const double TWO_OVER_SQRT_TWO_PI = 0.79788456080286535588;
static const double SQRT_HALF_PI = 1.25331413731550025121;

INLINE uint64_t bits(double x) { uint64_t b; memcpy(&b, &x, 8); return b; }
INLINE double real(uint64_t b) { double x; memcpy(&x, &b, 8); return x; }

/* ln(a / b) without the rounding of a / b: b is scaled by the power of two that brings it next to a, and a - b is then exact. */
INLINE double log_ratio(double a, double b)
{
    const uint64_t offset = (uint64_t)1024 << 52;
    uint64_t power = (bits(a) - bits(b) + offset + ((uint64_t)1 << 51)) >> 52;
    double scaled = real(bits(b) + ((power - 1024) << 52));
    double e = real(power | 0x4330000000000000) - (4503599627370496.0 + 1024.0);
    double z = (a - scaled) / (a + scaled);
    double y = z * z, y2 = y * y;
    double even = 1.0 / 3 + y2 * (1.0 / 7 + y2 * (1.0 / 11 + y2 * (1.0 / 15 + y2 * (1.0 / 19 + y2 * (1.0 / 23)))));
    double odd = 1.0 / 5 + y2 * (1.0 / 9 + y2 * (1.0 / 13 + y2 * (1.0 / 17 + y2 * (1.0 / 21))));
    return e * LN2_HIGH + (2.0 * z + (2.0 * z * y * (even + y * odd) + e * LN2_LOW));
}

/* exp(x) for x <= 0, 0 below -700. */
INLINE double exp_negative(double x)
{
    const double magic = 6755399441055744.0;
    double inside = x < -700.0 ? -700.0 : x;
    double shifted = inside * 1.44269504088896340736 + magic;
    double n = shifted - magic;
    double r = (inside - n * LN2_HIGH) - n * LN2_LOW;
    double r2 = r * r;
    double even = 1.0 / 2 + r2 * (1.0 / 24 + r2 * (1.0 / 720 + r2 * (1.0 / 40320 + r2 * (1.0 / 3628800 + r2 * (1.0 / 479001600)))));
    double odd = 1.0 / 6 + r2 * (1.0 / 120 + r2 * (1.0 / 5040 + r2 * (1.0 / 362880 + r2 * (1.0 / 39916800 + r2 * (1.0 / 6227020800)))));
    double value = 1.0 + (r + r2 * (even + r * odd));
    double scaled = real(bits(value) + (bits(shifted) << 52));
    return x < -700.0 ? 0.0 : scaled;
}

typedef struct { double lead, beta, difference; } Pair;

#define STEP(coefficient) slope = slope * ta + value; value = value * tb + (coefficient);

/* exp(x^2) erfc(x) at a = lead and at b = beta, both over sqrt(2) and at least -0.25, and the difference of the two, for b - a = step: the divided
 * difference of one polynomial, in which nothing cancels however small the step is. */
INLINE Pair erfcx_pair(double a, double b, double step)
{
    double pa = a + 4.0, pb = b + 4.0, inverse = 7.5 / (pa * pb);
    double qa = 1.0 + 2.0 * a, qb = 1.0 + 2.0 * b, scale = 1.0 / (qa * qb);
    double ta = 1.0 - pb * inverse, tb = 1.0 - pa * inverse;
    double value = -7.501020022312547e-10, slope = 0.0;
    STEP(-5.048177090686872e-11)
    STEP(9.18102724443424e-09)
    STEP(2.3234147580722374e-10)
    STEP(-6.704720811270048e-08)
    STEP(9.48313803906959e-09)
    STEP(4.181548767818566e-07)
    STEP(-2.3509571216443103e-07)
    STEP(-2.4835069001792886e-06)
    STEP(3.50129822800012e-06)
    STEP(1.287244066352089e-05)
    STEP(-4.0988504038804294e-05)
    STEP(-2.626270731993047e-05)
    STEP(0.000361158409103972)
    STEP(-0.0006647607733238302)
    STEP(-0.0010785291410488735)
    STEP(0.009792767517677346)
    STEP(-0.03243939436923391)
    STEP(0.07327077662623423)
    STEP(-0.12640279379390748)
    STEP(0.17124563544825086)
    STEP(-0.17749939179272453)
    STEP(0.12090992229943484)
    STEP(-0.0014024054728815167)
    STEP(-0.150009835861735)
    STEP(1.2423492448711544)
    double at_b = value * qa * scale;
    double difference = (2.0 * at_b - slope * inverse) * qb * scale * step;
    Pair pair = {at_b + difference, at_b, difference};
    return pair;
}

typedef struct { double lead, beta, e, x_lead, x_beta; int above, deep; } Terms;

/* The price, and what the Greeks share with it, at s = vol sqrt(years): the out-of-the-money side from one exponential, the other by parity. */
INLINE double black(double f, double k, double s, int64_t call, double df, Terms *shared)
{
    int above = f > k;
    double low = above ? k : f, high = above ? f : k;
    double h = log_ratio(high, low) / s;
    double lead = 0.5 * s - h, beta = 0.5 * s + h;
    int deep = lead > DEEP;
    double e = 0.5 * low * exp_negative(-0.5 * lead * lead);
    Pair x = erfcx_pair((deep ? lead : -lead) * SQRT_HALF, beta * SQRT_HALF, (deep ? 2.0 * h : s) * SQRT_HALF);
    double otm = deep ? low - e * (x.lead + x.beta) : e * x.difference;
    Terms all = {lead, beta, e, x.lead, x.beta, above, deep};
    *shared = all;
    return df * (above == call ? otm + (high - low) : otm);
}

void price(long n, const double *restrict f, const double *restrict k, const double *restrict t, const double *restrict v,
           const uint8_t *restrict call, const double *restrict df, double *restrict out)
{
    for (long i = 0; i < n; i++) {
        Terms x;
        out[i] = black(f[i], k[i], v[i] * sqrt(t[i]), call[i], df[i], &x);
    }
}

void greeks(long n, const double *restrict f, const double *restrict k, const double *restrict t, const double *restrict v,
            const uint8_t *restrict call, const double *restrict df, double *restrict price, double *restrict delta, double *restrict gamma,
            double *restrict vega, double *restrict theta, double *restrict rho, double *restrict vanna, double *restrict volga)
{
    for (long i = 0; i < n; i++) {
        Terms x;
        double root_t = sqrt(t[i]), s = v[i] * root_t;
        double value = black(f[i], k[i], s, call[i], df[i], &x);
        double per_f = 1.0 / f[i], per_v = 1.0 / v[i], per_t = 1.0 / t[i];
        double tail = x.e * (x.above ? x.x_beta : x.x_lead) * per_f;
        double in = (x.above | x.deep) == call[i] ? 1.0 - tail : tail;
        double density = df[i] * TWO_OVER_SQRT_TWO_PI * x.e;
        double kick = density * root_t, live = density * per_v;
        double rate = -log_ratio(df[i], 1.0) * per_t;
        price[i] = value;
        delta[i] = df[i] * (call[i] ? in : -in);
        gamma[i] = density * per_f * per_f / s;
        vega[i] = kick;
        theta[i] = rate * value - 0.5 * kick * v[i] * per_t;
        rho[i] = -t[i] * value;
        vanna[i] = live * (x.above ? x.lead : x.beta) * per_f;
        volga[i] = -live * root_t * x.lead * x.beta;
    }
}

/* The inverse normal distribution at u, to three digits: Winitzki's inverse of erf at 2u - 1. */
INLINE double rough_quantile(double u)
{
    double log_term = log_ratio(4.0 * u * (1.0 - u), 1.0);
    double a = 4.3307467508 + 0.5 * log_term;
    double b = log_term * (-1.0 / 0.147);
    double root = sqrt(a * a + b);
    double size = sqrt(2.0 * (a > 0.0 ? b / (root + a) : root - a));
    return u < 0.5 ? -size : size;
}

/* One third-order step towards the s at which ln(price) of the out-of-the-money option meets the quote's; x = |ln(forward / strike)|. */
INLINE double householder(double s, double x, double log_quote)
{
    double m = x / s, lead = 0.5 * s - m, beta = 0.5 * s + m;
    Pair pair = erfcx_pair((lead > DEEP ? lead : -lead) * SQRT_HALF, beta * SQRT_HALF, (lead > DEEP ? 2.0 * m : s) * SQRT_HALF);
    double grown = 2.0 / exp_negative(-0.5 * lead * lead);
    double ratio = SQRT_HALF_PI * (lead > DEEP ? grown - pair.lead - pair.beta : pair.difference); /* price over vega, by Mills ratios */
    double gap = log_ratio(ratio, 1.0) - 0.5 * lead * lead - log_quote;
    double slope = 1.0 / ratio;
    double c = m * m / s - 0.25 * s;
    double second = c - slope;                                                                    /* f'' / f' of f = ln(price) */
    double third = c * c - 3.0 * m * m / (s * s) - 0.25 - 3.0 * slope * c + 2.0 * slope * slope; /* f''' / f' */
    double newton = -gap * ratio;
    return s + newton * (1.0 + 0.5 * newton * second) / (1.0 + newton * (second + newton * third * (1.0 / 6)));
}

/* Four such steps from a lower bound of the root. */
void implied_vol(long n, const double *restrict quote, const double *restrict f, const double *restrict k, const double *restrict t,
                 const uint8_t *restrict call, const double *restrict df, double *restrict out)
{
    for (long i = 0; i < n; i++) {
        double intrinsic = call[i] ? f[i] - k[i] : k[i] - f[i];
        double low = f[i] < k[i] ? f[i] : k[i], high = f[i] < k[i] ? k[i] : f[i];
        double p = (quote[i] / df[i] - (intrinsic > 0.0 ? intrinsic : 0.0)) / low;
        double excess = (high - low) / low;
        double x = log_ratio(high, low);
        double log_quote = log_ratio(p * SQRT_TWO_PI, 1.0);
        double d = rough_quantile(p * (1.0 + excess + p) / (2.0 * p + excess));
        double root = sqrt(d * d + 2.0 * x);
        double bound = d < 0.0 ? 2.0 * x / (root - d) : root + d;
        double least = p * SQRT_TWO_PI;
        double s = bound > least ? bound : least;
        s = householder(s, x, log_quote);
        s = householder(s, x, log_quote);
        s = householder(s, x, log_quote);
        s = householder(s, x, log_quote);
        out[i] = s / sqrt(t[i]);
    }
}

/* The largest loss of each of `units` margin units, `size` options each (at most BLOCK), over all scenarios, every option revalued in each. A unit is
 * copied first, each column to the same width and its end filled with nothing held, so that whole vectors are all there is. */
#define BLOCK 1024
void scenario_margin(long units, long size, long scenarios, const double *restrict f, const double *restrict k, const double *restrict t,
                     const double *restrict v, const uint8_t *restrict call, const double *restrict df, const double *restrict quantity,
                     const double *restrict now, const double *restrict move, const double *restrict shift, double *restrict losses)
{
    double forward[BLOCK + 8], strike[BLOCK + 8], root[BLOCK + 8], vol[BLOCK + 8], held[BLOCK + 8], before[BLOCK + 8];
    int64_t side[BLOCK + 8];
    long whole = (size + 7) / 8 * 8;
    for (long unit = 0; unit < units; unit++) {
        for (long i = 0; i < whole; i++) {
            long at = unit * size + (i < size ? i : 0);
            forward[i] = f[at], strike[i] = k[at], root[i] = sqrt(t[at]), vol[i] = v[at], side[i] = call[at];
            held[i] = i < size ? quantity[at] * df[at] : 0.0;
            before[i] = now[at] / df[at];
        }
        double worst = 0.0;
        for (long j = 0; j < scenarios; j++) {
            double total = 0.0, lanes[8] = {0.0};
            for (long i = 0; i < whole; i += 8)
                for (long lane = 0; lane < 8; lane++) {
                    long at = i + lane;
                    Terms x;
                    double later = black(forward[at] * move[j], strike[at], (vol[at] + shift[j]) * root[at], side[at], 1.0, &x);
                    lanes[lane] += held[at] * (later - before[at]);
                }
            for (long lane = 0; lane < 8; lane++)
                total += lanes[lane];
            worst = -total > worst ? -total : worst;
        }
        losses[unit] = worst;
    }
}
