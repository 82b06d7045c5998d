#include "scales.hpp"

namespace {

constexpr double factor = 3;

}  // namespace

#include "scale_ops.hpp"

std::vector<gradus::Expr> tripled(gradus::Arg x) { return scaled(x); }
