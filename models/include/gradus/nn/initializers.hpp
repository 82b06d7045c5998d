#pragma once

#include <vector>

#include "gradus/base/location.hpp"
#include "gradus/graph/initializer.hpp"

/// Starting values of parameters, as Keras defines them (keras.io/api/layers/initializers).
///
/// fan_in and fan_out come from the extents as in Keras: rank 0 gives 1 and 1; rank 1 [n] gives n and n; rank
/// 2 [in, out] gives in and out; rank 3 and more [window..., in, out] gives in and out times the window's
/// size. A fan of 0 counts as 1. Random ones draw from `Random(seed)` in row-major order. Every initializer
/// throws an Error when the number of values it is to write is not the product of the extents.
namespace GRADUS_PUBLIC gradus {

/// All 0.
Initializer zeros();

/// All `value`. Error when it is NaN.
Initializer constant(double value, Location where = Location::current());

/// Exactly these, row-major. Error, when used, unless there are as many as the parameter has elements.
Initializer values(std::vector<double> elements);

/// Normal, not truncated (Keras: RandomNormal). Error unless both are finite and stddev >= 0.
Initializer normal(double mean = 0, double stddev = 1, Location where = Location::current());

/// Uniform in [lo, hi) (Keras: RandomUniform). Error unless both are finite and lo <= hi.
Initializer uniform(double lo, double hi, Location where = Location::current());

/// Uniform in [-a, a), a = sqrt(6 / (fan_in + fan_out)); variance 2 / (fan_in + fan_out).
/// X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
Initializer glorot_uniform();

/// Normal of standard deviation s = sqrt(2 / (fan_in + fan_out)), truncated. It is s / 0.87962566103423978
/// times a standard normal that is drawn again beyond 2, the divisor being the standard deviation that
/// truncation leaves. Glorot and Bengio 2010; the truncation is Keras's.
Initializer glorot_normal();

/// Uniform in [-a, a), a = sqrt(6 / fan_in); variance 2 / fan_in, for relu.
/// K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", 2015.
Initializer he_uniform();

/// Normal of standard deviation sqrt(2 / fan_in), truncated as in glorot_normal. He et al. 2015.
Initializer he_normal();

/// Uniform in [-a, a), a = sqrt(3 / fan_in); variance 1 / fan_in.
/// Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, "Efficient BackProp", 1998.
Initializer lecun_uniform();

/// Normal of standard deviation sqrt(1 / fan_in), truncated as in glorot_normal. LeCun et al. 1998.
Initializer lecun_normal();

}  // namespace gradus
