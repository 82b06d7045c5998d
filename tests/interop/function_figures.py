#!/usr/bin/env python3
"""Writes tests/figures/functions.json: every elementwise function and its slope at special points and on a grid.

    DIR/bin/python tests/interop/function_figures.py > tests/figures/functions.json

By mpmath in 400 digits. An entry is [x…, value, rest, slope…]: the value is the sum of two doubles. Slopes are taken
from formulas that mpmath evaluates in the same precision. Points that are no floats are for double alone. What is
not finite is a word; poles are said as for +0. Needs mpmath: python3 -m venv DIR && DIR/bin/pip install mpmath.
"""

import json
import struct
import sys

from mpmath import mp, mpf

mp.dps = 400
INF, NAN = mpf("inf"), mpf("nan")


def float_of(x):
    return struct.unpack("f", struct.pack("f", x))[0]


FLOAT_MAX, FLOAT_LEAST = float.fromhex("0x1.fffffep127"), 2.0**-126
SPECIAL = [0.0, 1.0, 2.0**-149, FLOAT_LEAST, float_of(1e-30), float_of(1e30), FLOAT_MAX]
SPECIAL += [5e-324, sys.float_info.min, 1e-300, 1e300, sys.float_info.max, 1e14, float("inf")]
SIZES = [1e-9, 1e-5, 0.003, 0.02, 0.1, 0.3, 0.45, 0.5, 0.55, 0.75, 0.9, 0.999, 1.1, 1.25, 1.3, 1.57079632679, 2.5, 3.14159265,
         4.7, 6.1, 9.3, 13.05, 22.7, 37.6, 88.5, 355.0, 12345.678, 1e5, 2e6, 1e12]


def points(least=-INF):
    sizes = SPECIAL + [float_of(x) for x in SIZES] + [0.7853981633974483, 1.5707963267948966, 3.141592653589793]
    both = [s for x in sizes for s in (x, -x)] + [float("nan")]
    return [x for x in both if not x < least]


def limits(f, at_minus, at_plus):
    """f with its limits at infinities; arguments as exact numbers, so that nothing overflows there."""
    def value(x):
        if x != x:
            return NAN
        return at_plus if x == INF else at_minus if x == -INF else f(x)
    return value


def guarded(f, wanted):
    return lambda x: f(x) if wanted(x) else NAN


def cdf(x):
    return erfc(-x / mp.sqrt(2)) / 2


def pdf(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi) if abs(x) < 8000 else mpf(0)


def small_exp(x):
    """Beyond what any format holds, exponentials are 0 or ∞."""
    return mpf(0) if x < -8000 else INF if x > 8000 else mp.exp(x)


def erfc(x):
    return mpf(0) if x > 8000 else mpf(2) if x < -8000 else mp.erfc(x)


def sech2(x):
    return mpf(0) if abs(x) > 8000 else 1 / mp.cosh(x) ** 2


def logistic(x):
    return mpf(0) if x < -8000 else mpf(1) if x > 8000 else 1 / (1 + mp.exp(-x))


def logistic_slope(x):
    return mpf(0) if abs(x) > 8000 else 1 / (2 * mp.cosh(x / 2)) ** 2


def softplus(x):
    return x if x > 8000 else mpf(0) if x < -8000 else mp.log1p(mp.exp(x))


def bent(x):
    """x · Φ(x) far out."""
    return mpf(0) if x < -8000 else x * cdf(x)


def bent_slope(x):
    return cdf(x) + x * pdf(x) if abs(x) < 8000 else mpf(1 if x > 0 else 0)


def tanh_argument(x):
    """Twice that of the hyperbolic tangent, and its derivative, in the approximation of x · Φ(x)."""
    linear = 2 * mp.sqrt(2 / mp.pi)
    cubic = linear * mpf("0.044715")
    return linear * x + cubic * x**3, linear + 3 * cubic * x**2


def bent_by_tanh(x):
    return x * logistic(tanh_argument(x)[0])


def bent_by_tanh_slope(x):
    argument, slope = tanh_argument(x)
    return logistic(argument) + x * slope * logistic_slope(argument)


def small_expm1(x):
    return mpf(-1) if x < -8000 else INF if x > 8000 else mp.expm1(x)


def hyperbolic(f, far):
    return lambda x: f(x) if abs(x) < 8000 else far if x > 0 else far * (-1 if f is mp.sinh else 1)


SINH, COSH = hyperbolic(mp.sinh, INF), hyperbolic(mp.cosh, INF)
# name: (value, at −∞, at +∞, slope, at −∞, at +∞)
FUNCTIONS = {
    "exp": (small_exp, 0, INF, small_exp, 0, INF),
    "log": (lambda x: -INF if x == 0 else mp.log(x) if x > 0 else NAN, NAN, INF, lambda x: INF if x == 0 else 1 / x, 0, 0),
    "log1p": (lambda x: -INF if x == -1 else mp.log1p(x) if x > -1 else NAN, NAN, INF,
              lambda x: INF if x == -1 else 1 / (1 + x), 0, 0),
    "expm1": (small_expm1, -1, INF, small_exp, 0, INF),
    "sqrt": (guarded(mp.sqrt, lambda x: x >= 0), NAN, INF, lambda x: INF if x == 0 else NAN if x < 0 else 1 / (2 * mp.sqrt(x)),
             NAN, 0),
    "square": (lambda x: x * x, INF, INF, lambda x: 2 * x, -INF, INF),
    "reciprocal": (lambda x: INF if x == 0 else 1 / x, 0, 0, lambda x: -INF if x == 0 else -1 / (x * x), 0, 0),
    "power_1.5": (guarded(lambda x: mp.power(x, 1.5), lambda x: x >= 0), INF, INF,
                  guarded(lambda x: 1.5 * mp.sqrt(x), lambda x: x >= 0), NAN, INF),
    "sinh": (SINH, -INF, INF, COSH, INF, INF),
    "cosh": (COSH, INF, INF, SINH, -INF, INF),
    "sin": (mp.sin, NAN, NAN, mp.cos, NAN, NAN),
    "cos": (mp.cos, NAN, NAN, lambda x: -mp.sin(x), NAN, NAN),
    "tan": (mp.tan, NAN, NAN, lambda x: 1 + mp.tan(x) ** 2, NAN, NAN),
    "asin": (guarded(mp.asin, lambda x: abs(x) <= 1), NAN, NAN,
             lambda x: INF if abs(x) == 1 else 1 / mp.sqrt(1 - x * x) if abs(x) < 1 else NAN, NAN, NAN),
    "acos": (guarded(mp.acos, lambda x: abs(x) <= 1), NAN, NAN,
             lambda x: -INF if abs(x) == 1 else -1 / mp.sqrt(1 - x * x) if abs(x) < 1 else NAN, NAN, NAN),
    "atan": (mp.atan, -mp.pi / 2, mp.pi / 2, lambda x: 1 / (1 + x * x), 0, 0),
    "erf": (lambda x: 1 - erfc(x) if abs(x) > 8000 else mp.erf(x), -1, 1, lambda x: 2 * mp.sqrt(2) * pdf(x * mp.sqrt(2)), 0, 0),
    "erfc": (erfc, 2, 0, lambda x: -2 * mp.sqrt(2) * pdf(x * mp.sqrt(2)), 0, 0),
    "gaussian": (lambda x: small_exp(-x * x), 0, 0, lambda x: -2 * x * small_exp(-x * x), 0, 0),
    "normal_cdf": (cdf, 0, 1, pdf, 0, 0),
    "gelu": (bent, 0, INF, bent_slope, 0, 1),
    "gelu_tanh": (bent_by_tanh, 0, INF, bent_by_tanh_slope, 0, 1),
    "elu": (lambda x: x if x > 0 else small_expm1(x), -1, INF, lambda x: 1 if x > 0 else small_exp(x), 0, 1),
    "sigmoid": (logistic, 0, 1, logistic_slope, 0, 0),
    "tanh": (lambda x: mp.tanh(x) if abs(x) < 8000 else mpf(1 if x > 0 else -1), -1, 1, sech2, 0, 0),
    "softplus": (softplus, 0, INF, logistic, 0, 1),
    "relu": (lambda x: max(x, mpf(0)), 0, INF, lambda x: 1 if x > 0 else 0, 0, 1),
    "abs": (abs, INF, INF, lambda x: mp.sign(x), -1, 1),
}


def double(x):
    """The nearest double: mpmath's own conversion rounds twice where it is denormal, and not in this direction."""
    try:
        return float(mp.mpf(x))
    except OverflowError:
        return float("inf") if x > 0 else float("-inf")


def word(x):
    return "nan" if x != x else "inf" if x == float("inf") else "-inf" if x == float("-inf") else x


def entry(arguments, value, slopes):
    value = mp.mpf(value)
    high = double(value)
    low = double(value - mpf(high)) if abs(high) < float("inf") else 0.0
    return [word(a) for a in arguments] + [word(high), low] + [word(double(s)) for s in slopes]


def of_one(name):
    f, minus, plus, slope, slope_minus, slope_plus = FUNCTIONS[name]
    value, derivative = limits(f, minus, plus), limits(slope, slope_minus, slope_plus)
    return [entry([x], value(mpf(x)), [derivative(mpf(x))]) for x in points()]


def beside_infinity(x, other):
    """What is finite is 0 of its sign there, and two infinities are equal."""
    return x if INF not in (abs(x), abs(other)) else mp.sign(x) * (1 if abs(x) == INF else mpf("1e-9999"))


def atan2(y, x):
    y, x = mpf(y), mpf(x)
    finite = INF not in (abs(x), abs(y))
    slopes = [s / (x**2 + y**2) if finite else 0 for s in (x, -y)]
    return entry([double(y), double(x)], mp.atan2(beside_infinity(y, x), beside_infinity(x, y)), slopes)


def power(a, b):
    a, b = mpf(a), mpf(b)
    return entry([float(a), float(b)], mp.power(a, b), [b * mp.power(a, b - 1), mp.power(a, b) * mp.log(a)])


def power_in_the_limit(a, b):
    """Of a, b or both infinite: a power of 0 outdoes any factor."""
    grows = (a > 1) == (b > 0)
    value = INF if grows else mpf(0)
    slope = value * mp.sign(b) if abs(b) == INF else INF if b > 1 else mpf(1 if b == 1 else 0)
    return entry([a, b], value, [slope, value * mp.sign(a - 1) if grows else 0])


def quotient(a, b):
    a, b = mpf(a), mpf(b)
    return entry([float(a), float(b)], a / b, [1 / b, -a / (b * b)])


def loss(x, t):
    x, t = mpf(x), mpf(t)
    return entry([float(x), float(t)], softplus(x) - t * x, [logistic(x) - t, -x])


def of_two(f, left, right):
    return [f(float_of(a), float_of(b)) for a in left for b in right]


SIDES = [s for x in (1e-30, 3e-7, 0.02, 0.4, 0.42, 1.0, 1.7, 2.42, 55.0, 1e18, 1e30, 3e38) for s in (x, -x)]
figures = {name: of_one(name) for name in FUNCTIONS}
FAR = [0.0] + [s for x in (FLOAT_MAX, sys.float_info.max, float("inf")) for s in (x, -x)]
figures["atan2"] = of_two(atan2, SIDES, SIDES[::3])
figures["atan2"] += [atan2(a, b) for a in FAR + SIDES[::5] for b in FAR + SIDES[::7] if a or b]
EXPONENTS = [-2.5, -1, -0.3, 0.5, 1, 2, 7.25]
figures["pow"] = of_two(power, [1e-20, 0.02, 0.7, 0.999, 1.0, 1.7, 55.0, 1e18], EXPONENTS)
figures["pow"] += [power_in_the_limit(INF, b) for b in EXPONENTS + [INF, -INF]]
figures["pow"] += [power_in_the_limit(a, b) for a in (1e-20, 0.5, 1.5, 1e18) for b in (INF, -INF)]
figures["div"] = of_two(quotient, SIDES[::2], SIDES[::3])
figures["logistic_loss"] = of_two(loss, [s for x in (1e-5, 0.3, 2, 12, 20, 40, 100) for s in (x, -x)], [0, 0.25, 1])
print("{")
for i, (name, entries) in enumerate(figures.items()):
    print(f' "{name}": [')
    print(",\n".join("  " + json.dumps(e) for e in entries))
    print(" ]" + ("," if i + 1 < len(figures) else ""))
print("}")
