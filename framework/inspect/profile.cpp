#include "gradus/inspect/profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "framework/compile/plan.hpp"
#include "framework/inspect/names.hpp"
#include "gradus/inspect/dump.hpp"

namespace gradus {

namespace {

double bytes_of(const Plan& plan, NodeId node) {
  const auto count = element_count(plan.node(node).shape.resolve(plan.dims));
  return static_cast<double>(count) * static_cast<double>(gradus::bytes_of(plan.dtype));
}

StepCost cost_of(const Plan& plan, const Step& step, double nanoseconds) {
  StepCost cost{step_ops(plan, step), step_name(plan, step), nanoseconds, 0, 0};
  if (step.kind != Step::Kind::copy)
    for (const NodeId id : step.nodes) cost.flop += plan.node(id).op()->flop(plan.shapes(id));
  for (const Operand& operand : step.operands)
    if (operand.buffer != no_buffer) cost.bytes += bytes_of(plan, operand.node);
  for (const auto& result : step.results) cost.bytes += bytes_of(plan, result.node);
  return cost;
}

std::string line(std::string_view ns, std::string_view share, std::string_view flop, std::string_view speed,
                 std::string_view bytes, std::string_view step) {
  return fmt::format("{:>11} {:>7} {:>10} {:>9} {:>10}  {}\n", ns, share, flop, speed, bytes, step);
}

}  // namespace

template <class T> Profile profile(Executable<T>& executable, std::size_t times) {
  using Clock = std::chrono::steady_clock;
  // A run and a run step by step in turn, so that what else the machine does falls on both alike.
  std::vector<double> runs;
  std::vector<std::vector<double>> steps;
  for (std::size_t i = 0; i < times; ++i) {
    const auto start = Clock::now();
    executable.run();
    runs.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count());
    steps.push_back(executable.run_timed());
  }
  const auto median = [](std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
  };
  const Plan& plan = executable.plan();
  Profile made;
  made.run_nanoseconds = median(runs);
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    std::vector<double> of_step;
    for (const auto& run : steps) of_step.push_back(run[s]);
    made.steps.push_back(cost_of(plan, plan.steps[s], median(of_step)));
  }
  return made;
}

std::string profile_text(const Profile& profile) {
  StepCost sum;
  for (const StepCost& step : profile.steps) {
    sum.nanoseconds += step.nanoseconds;
    sum.flop += step.flop;
    sum.bytes += step.bytes;
  }
  std::string text = line("ns", "share", "FLOP", "GFLOP/s", "bytes", "step");
  const auto add = [&](const StepCost& step, const std::string& what) {
    text += line(fmt::format("{:.0f}", step.nanoseconds),
                 fmt::format("{:.1f} %", 100 * step.nanoseconds / sum.nanoseconds),
                 fmt::format("{:.0f}", step.flop), fmt::format("{:.1f}", step.flop / step.nanoseconds),
                 fmt::format("{:.0f}", step.bytes), what);
  };
  for (const StepCost& step : profile.steps) add(step, fmt::format("{} -> {}", step.ops, step.name));
  add(sum, fmt::format("sum, of a run that takes {:.0f} ns as a whole: {:.1f} %", profile.run_nanoseconds,
                       100 * sum.nanoseconds / profile.run_nanoseconds));
  return text;
}

template Profile profile GRADUS_PUBLIC(Executable<float>&, std::size_t);
template Profile profile GRADUS_PUBLIC(Executable<double>&, std::size_t);

}  // namespace gradus
