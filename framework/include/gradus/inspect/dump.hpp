#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "gradus/compile/options.hpp"

namespace GRADUS_PUBLIC gradus {

struct Plan;

/// The part of a graph that `outputs` and `updates` need, one line a node:
/// `%7 = matmul(x, W1) [B, 128]  # model.cpp:12`.
std::string graph_text(std::span<const Expr> outputs, std::span<const Update> updates = {});

/// A plan, one line a step: what is computed, where each result lies, what is written in place.
std::string plan_text(const Plan& plan);

}  // namespace gradus
