#pragma once

#include <span>
#include <vector>

#include "gradus/graph/graph.hpp"

namespace GRADUS_PUBLIC gradus {

/// d loss / d w for each w: nodes of the same graph, each of w's shape, which can be differentiated again.
/// A w on which the loss does not depend gets zeros. Error when the loss is not a scalar, or when a w is a
/// literal or of another graph. Errors name the line of the call, and the expressions that do not fit.
std::vector<Expr> grad(const Expr& loss, std::span<const Expr> wrt, Location where = Location::current());
Expr grad(const Expr& loss, const Expr& wrt, Location where = Location::current());

/// The vector-Jacobian product Σ cotangentᵢ · d outputᵢ / d w for each w: `grad` with a cotangent of each
/// output's shape in place of 1.
std::vector<Expr> vjp(std::span<const Expr> outputs, std::span<const Expr> cotangents,
                      std::span<const Expr> wrt, Location where = Location::current());

/// The Jacobian-vector product Σ d outputᵢ / d wⱼ · tangentⱼ for each output. It is the reverse rule applied
/// twice, since the vjp is linear in its cotangent, and so its transpose is the forward rule (J. Townsend
/// 2017).
std::vector<Expr> jvp(std::span<const Expr> outputs, std::span<const Expr> wrt,
                      std::span<const Expr> tangents, Location where = Location::current());

/// The Hessian-vector product of a scalar loss: for each w, Σ d²loss / (d w d wⱼ) · tangentⱼ.
std::vector<Expr> hvp(const Expr& loss, std::span<const Expr> wrt, std::span<const Expr> tangents,
                      Location where = Location::current());

}  // namespace gradus
