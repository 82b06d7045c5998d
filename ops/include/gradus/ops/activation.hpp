#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// max(x, 0), with relu′(0) = 0.
Expr relu(Arg x);
/// x for x > 0, else slope · x (the derivative at 0 is the slope); relu for a slope of 0.
Expr leaky_relu(Arg x, double slope = 0.01);
/// x for x > 0, else alpha · (eˣ − 1); the derivative at 0 is alpha.
Expr elu(Arg x, double alpha = 1);
/// 1 / (1 + e^−x).
Expr sigmoid(Arg x);
/// 1 / (1 + e^−(a + b)) in one pass, such as for a product and its bias; `sigmoid(a + b)` becomes this when
/// it is compiled.
Expr sigmoid_of_sum(Arg a, Arg b);
/// (eˣ − e^−x) / (eˣ + e^−x).
Expr tanh(Arg x);
/// dy · y · (1 − y): the cotangent dy through y = sigmoid(x). As it is taken from y alone, so that neither x
/// is kept nor its exponential taken again, the slope is right to the rounding of y near 1: within 1.2e-7 in
/// float and 2.3e-16 in double, and 0 from x = 17 or 37 on. A loss that needs its digits there takes logits,
/// as binary_cross_entropy does.
Expr sigmoid_grad(Arg dy, Arg y);
/// dy · (1 − y²): the cotangent dy through y = tanh(x). The slope is right to 2.4e-7 in float and 4.5e-16 in
/// double, and 0 from |x| = 9.1 or 19.1 on, for the same reason.
Expr tanh_grad(Arg dy, Arg y);
/// log(1 + eˣ), without overflow.
Expr softplus(Arg x);

}  // namespace gradus
