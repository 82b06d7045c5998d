#include "models/app/cli/profile.hpp"

#include <fmt/format.h>

#include "framework/compile/plan.hpp"
#include "gradus/data/atomic_file.hpp"
#include "gradus/inspect/draw.hpp"
#include "gradus/inspect/dump.hpp"
#include "gradus/inspect/profile.hpp"
#include "gradus/simd/isa.hpp"
#include "models/app/cli/standard_output.hpp"
#include "models/app/plot/draw.hpp"
#include "models/app/progress/progress.hpp"
#include "models/data/json.hpp"
#include "models/tutorials/all.hpp"

namespace gradus::cli {

namespace {

OrderedJson to_json(const Profile& profile) {
  auto steps = OrderedJson::array();
  for (const StepCost& step : profile.steps)
    steps.push_back({{"ops", step.ops},
                     {"result", step.name},
                     {"nanoseconds", step.nanoseconds},
                     {"flop", step.flop},
                     {"bytes", step.bytes}});
  return {{"run_nanoseconds", profile.run_nanoseconds}, {"steps", steps}};
}

std::vector<double> shares(const Profile& profile) {
  double sum = 0;
  for (const StepCost& step : profile.steps) sum += step.nanoseconds;
  std::vector<double> each;
  for (const StepCost& step : profile.steps) each.push_back(step.nanoseconds / sum);
  return each;
}

}  // namespace

int profile(const ProfileOptions& options) {
  require_distinct(std::vector<NamedFile>{{"json", options.json}, {"svg", options.svg}});
  for (const std::string& file : {options.json, options.svg})
    if (!file.empty()) require_writable(file);
  const Problem p = find_tutorial(options.name).problem();
  const std::int64_t batch = options.batch == 0 ? p.batch : options.batch;
  return with_precision(options.precision, [&](auto tag) {
    using T = decltype(tag);
    Store<T> store;
    // A training step without its loss, as a training loop wants it most of the time.
    std::vector<Expr> outputs;
    if (p.updates.empty()) outputs.push_back(p.prediction);
    auto program = compile<T>(outputs, p.updates, batch, store);
    for (const auto& [name, values] : p.point) {
      if (!program.has_input(name)) continue;
      // The problem's samples over and over.
      const std::span<T> buffer = program.buffer(p.graph->find(name));
      for (std::size_t i = 0; i < buffer.size(); ++i) buffer[i] = static_cast<T>(values[i % values.size()]);
    }
    const Profile made =
        with_progress("timing " + options.name, [&] { return gradus::profile(program, options.runs); });
    print("{}, batch {}, {}, kernels for {}: medians of {} runs\n{}", options.name, batch,
          sizeof(T) == sizeof(float) ? "float" : "double", to_string(current_isa()), options.runs,
          profile_text(made));
    if (!options.json.empty()) write_atomically(options.json, json_text(to_json(made), 2) + "\n");
    if (!options.svg.empty())
      write_atomically(options.svg, with_progress("drawing the plan", [&] {
                         return drawn_by_dot(plan_dot(program.plan(), shares(made)), ImageFormat::svg);
                       }));
    return 0;
  });
}

}  // namespace gradus::cli
