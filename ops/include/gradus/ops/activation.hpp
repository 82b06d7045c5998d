#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// max(x, 0), with relu′(0) = 0.
Expr relu(Arg x);
/// x for x > 0, else slope · x (the derivative at 0 is the slope).
Expr leaky_relu(Arg x, double slope = 0.01);
/// 1 / (1 + e^−x).
Expr sigmoid(Arg x);
/// 1 / (1 + e^−(a + b)) in one pass, such as for a product and its bias; `sigmoid(a + b)` becomes this when
/// it is compiled.
Expr sigmoid_of_sum(Arg a, Arg b);
/// (eˣ − e^−x) / (eˣ + e^−x).
Expr tanh(Arg x);
/// dy · y · (1 − y): the cotangent dy through y = sigmoid(x).
Expr sigmoid_grad(Arg dy, Arg y);
/// dy · (1 − y²): the cotangent dy through y = tanh(x).
Expr tanh_grad(Arg dy, Arg y);
/// log(1 + eˣ), without overflow.
Expr softplus(Arg x);

}  // namespace gradus
