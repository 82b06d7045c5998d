#include "framework/compile/compile.hpp"

#include <fmt/format.h>

#include "framework/base/aligned.hpp"
#include "framework/compile/canonicalize.hpp"
#include "framework/compile/extract.hpp"
#include "framework/compile/fold.hpp"
#include "framework/compile/fuse.hpp"
#include "framework/compile/plan_memory.hpp"
#include "framework/compile/schedule.hpp"
#include "framework/compile/verify.hpp"

namespace gradus {

namespace {

#ifdef NDEBUG
constexpr bool always_verifies = false;
#else
constexpr bool always_verifies = true;
#endif

// Error at the line of a node that has no such sizes.
void check_sizes(const Graph& graph, const DimBindings& dims) {
  for (NodeId id = 0; id < graph.size(); ++id) try {
      if (id > 0 && graph[id].shape == graph[id - 1].shape) continue;
      element_count(graph[id].shape.resolve(dims));
    } catch (const Error& error) {
      throw Error(
          fmt::format("compile: {} at {}: {}", graph.describe(id), to_string(graph[id].where), error.what()));
    }
}

// Before anything is made of that size.
void check_memory(const Plan& plan) {
  try {
    require_memory(plan.arena_bytes + plan.pinned_bytes);
  } catch (const Error& error) {
    throw Error(fmt::format("compile: the program for batch {}: {}; take a smaller batch", plan.dims.batch,
                            error.what()));
  }
}

}  // namespace

Plan make_plan(std::span<const Expr> outputs, std::span<const Update> updates, const PlanOptions& options,
               const StageObserver& observer) {
  const auto done = [&](std::string_view stage, const Program& program, const Plan* plan = nullptr) {
    if (always_verifies || options.verify) require_sound(stage, program, plan);
    if (observer) observer(stage, program, plan);
  };
  Program program = extract(outputs, updates);
  check_sizes(*program.graph, options.dims);
  done("extract", program);
  if (options.optimize) {
    program = fold(std::move(program), options.dims);
    done("fold", program);
    program = canonicalize(std::move(program), options.dims);
    done("canonicalize", program);
    program = drop_dead(std::move(program));
    done("drop dead", program);
  }
  Plan plan;
  plan.program = std::move(program);
  plan.dims = options.dims;
  plan.dtype = options.dtype;
  plan.reproducible = options.reproducible;
  plan = fuse(std::move(plan), options.optimize);
  done("fuse", plan.program, &plan);
  plan = schedule(std::move(plan));
  done("schedule", plan.program, &plan);
  plan = plan_memory(std::move(plan), options.reuse, options.threads);
  check_memory(plan);
  done("plan memory", plan.program, &plan);
  return plan;
}

}  // namespace gradus
