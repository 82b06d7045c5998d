#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "framework/compile/plan.hpp"

namespace GRADUS_PUBLIC gradus {

/// Settings of the stages.
struct PlanOptions {
  DimBindings dims = {};         ///< what symbols stand for
  DType dtype = DType::float32;  ///< of all tensors
  bool optimize = true;          ///< fold, canonicalize and fuse
  Reuse reuse = Reuse::full;     ///< how values share the arena
  int threads = 1;               ///< for which ops get workspace
  bool reproducible = false;     ///< as CompileOptions has it
  bool verify = false;           ///< check what each stage leaves; builds without NDEBUG always do
};

/// Sees what each stage leaves: a program, and from `fuse` on a plan.
using StageObserver = std::function<void(std::string_view stage, const Program& program, const Plan* plan)>;

/// All stages but the last, in order: extract, fold, canonicalize, drop dead, fuse, schedule, plan memory.
/// (`lower` makes instructions of the plan, once there is memory to point into.) Error as `extract` throws
/// it, and when the verifier finds a fault, which is one of gradus.
Plan make_plan(std::span<const Expr> outputs, std::span<const Update> updates, const PlanOptions& options,
               const StageObserver& observer = {});

}  // namespace gradus
