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

static const double LN2_HIGH = 6.93147180369123816490e-01;
static const double LN2_LOW = 1.90821492927058770002e-10;
static const double SQRT_HALF = 0.70710678118654752440;
static const double SQRT_TWO_PI = 2.50662827463100050242;
static const double INV_SQRT_TWO_PI = 0.39894228040143267794;
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

/* exp(x^2) erfc(x) for x >= 0. */
INLINE double erfcx(double x)
{
    double t = (x - 4.0) / (x + 4.0);
    double t2 = t * t;
    double even = 1.5738283774192037e-09;
    even = even * t2 + -1.6371779763566967e-08;
    even = even * t2 + 7.115337800585303e-08;
    even = even * t2 + 2.9801353803031333e-07;
    even = even * t2 + -1.1225101875659178e-05;
    even = even * t2 + 0.00015062309720018628;
    even = even * t2 + -0.000757773707063825;
    even = even * t2 + -0.016197733981455194;
    even = even * t2 + -0.06633036582031154;
    even = even * t2 + -0.10103906603586531;
    even = even * t2 + 0.015379652102610473;
    even = even * t2 + 1.2329951186255526;
    double odd = -6.9926126813398e-09;
    odd = odd * t2 + 9.295292277973951e-08;
    odd = odd * t2 + -8.020193766522085e-07;
    odd = odd * t2 + 5.689537732302816e-06;
    odd = odd * t2 + -2.438779085759055e-05;
    odd = odd * t2 + -0.00019926095315041177;
    odd = odd * t2 + 0.005031971002298884;
    odd = odd * t2 + 0.03716751538635946;
    odd = odd * t2 + 0.09373283501077742;
    odd = odd * t2 + 0.06809705425421975;
    odd = odd * t2 + -0.1396211168405572;
    return (even + odd * t) / (1.0 + 2.0 * x);
}

typedef struct { double d1, d2, e1, x1; } Terms;

/* The price and what the Greeks share with it, at s = vol sqrt(years): the out-of-the-money side from one exponential, the other by parity. */
INLINE double black(double f, double k, double s, uint8_t call, double df, Terms *shared)
{
    double ratio = log_ratio(f, k) / s;
    double d1 = ratio + 0.5 * s, d2 = ratio - 0.5 * s;
    double e1 = exp_negative(-0.5 * d1 * d1);
    double x1 = erfcx(fabs(d1) * SQRT_HALF), x2 = erfcx(fabs(d2) * SQRT_HALF);
    int above = f > k;
    double near = above ? x2 : x1, far = above ? x1 : x2;
    double lead = above ? -d2 : d1;
    double low = above ? k : f;
    double scaled = 0.5 * f * e1;
    double otm = lead > 0.0 ? low - scaled * (near + far) : scaled * (near - far);
    double intrinsic = call ? f - k : k - f;
    shared->d1 = d1, shared->d2 = d2, shared->e1 = e1, shared->x1 = x1;
    return df * (otm + (intrinsic > 0.0 ? intrinsic : 0.0));
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
        double tail = 0.5 * x.e1 * x.x1;
        double up = x.d1 > 0.0 ? 1.0 - tail : tail, down = x.d1 > 0.0 ? tail : 1.0 - tail;
        double density = df[i] * INV_SQRT_TWO_PI * x.e1;
        double kick = f[i] * density * root_t;
        double per_vol = 1.0 / v[i], per_t = 1.0 / t[i];
        double rate = -log_ratio(df[i], 1.0) * per_t;
        price[i] = value;
        delta[i] = df[i] * (call[i] ? up : -down);
        gamma[i] = density / (f[i] * s);
        vega[i] = kick;
        theta[i] = rate * value - 0.5 * kick * v[i] * per_t;
        rho[i] = -t[i] * value;
        vanna[i] = -density * x.d2 * per_vol;
        volga[i] = kick * x.d1 * x.d2 * per_vol;
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
    double m = x / s, h = 0.5 * s;
    double near = fabs(m - h), far = erfcx((m + h) * SQRT_HALF), here = erfcx(near * SQRT_HALF);
    double grown = 2.0 / exp_negative(-0.5 * near * near);
    double ratio = SQRT_HALF_PI * ((m > h ? here : grown - here) - far); /* price over vega: a difference of Mills ratios */
    double gap = log_ratio(ratio, 1.0) - 0.5 * near * near - log_quote;
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

/* The largest loss of each of `units` margin units, `size` options each (at most BLOCK), over all scenarios, every option revalued in each. */
#define BLOCK 1024
void scenario_margin(long units, long size, long scenarios, const double *restrict f, const double *restrict k, const double *restrict t,
                     const double *restrict v, const uint8_t *restrict call, const double *restrict df, const double *restrict quantity,
                     const double *restrict now, const double *restrict move, const double *restrict shift, double *restrict losses)
{
    double root[BLOCK], gains[BLOCK + 8];
    for (long unit = 0; unit < units; unit++) {
        long start = unit * size;
        double worst = 0.0;
        for (long i = 0; i < size; i++)
            root[i] = sqrt(t[start + i]);
        for (long j = 0; j < scenarios; j++) {
            double total = 0.0, lanes[8] = {0.0};
            for (long i = 0; i < size; i++) {
                long at = start + i;
                Terms x;
                double later = black(f[at] * move[j], k[at], (v[at] + shift[j]) * root[i], call[at], df[at], &x);
                gains[i] = quantity[at] * (later - now[at]);
            }
            for (long i = size; i % 8; i++)
                gains[i] = 0.0;
            for (long i = 0; i < size; i += 8)
                for (long lane = 0; lane < 8; lane++)
                    lanes[lane] += gains[i + lane];
            for (long lane = 0; lane < 8; lane++)
                total += lanes[lane];
            worst = -total > worst ? -total : worst;
        }
        losses[unit] = worst;
    }
}
