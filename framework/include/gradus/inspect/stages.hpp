#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "gradus/compile/options.hpp"

namespace GRADUS_PUBLIC gradus {

/// How `outputs` and `updates` are compiled, in float: a paragraph for each stage, with what it changed. The
/// first stages rewrite the program: which ops came and went. The later ones plan it: steps, copies, memory.
std::string stages_text(std::span<const Expr> outputs, std::span<const Update> updates, std::int64_t batch);

}  // namespace gradus
