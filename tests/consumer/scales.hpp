#pragma once

#include <vector>

#include "gradus/graph/expr.hpp"

/// Twice x, by three ops; and three times x, by three others whose types have the same names in a file of
/// their own.
std::vector<gradus::Expr> doubled(gradus::Arg x);
std::vector<gradus::Expr> tripled(gradus::Arg x);
