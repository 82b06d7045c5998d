// Training steps by gradus, by hand-written C++ and by FANN, in one process and in turns.
//   train_step [--check-only] [--dump-check DIRECTORY] [--plans] [Google Benchmark's options]
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"
#include "contenders.hpp"
#include "dump.hpp"
#include "environment.hpp"
#include "framework/compile/plan.hpp"
#include "gradus/inspect/dump.hpp"
#include "gradus/runtime/flush_to_zero.hpp"
#include "timing.hpp"

namespace gradus::benchmarks {

namespace {

// Memory touched, kernels chosen, branches learnt.
constexpr int warm_up_steps = 3;
// A thread of OpenBLAS's spins for a while after its last product, which may have been another contender's.
constexpr std::chrono::milliseconds blas_falls_asleep{100};

// Every repetition has contenders of its own: they start at the same weights, and no luck of where their
// memory lies lasts.
template <class Contender> void time_steps(benchmark::State& state, Contender& contender, const Work& work) {
  if constexpr (!std::is_base_of_v<Gradus<typename Contender::Number>, Contender>) {
    contender.start_at(Gradus<typename Contender::Number>(work).parameters());
    use_blas_threads(work.threads);  // which Gradus, with threads of its own, has set to one
  }
  if (work.threads > 1) std::this_thread::sleep_for(blas_falls_asleep);
  if constexpr (requires { contender.steps(1); }) {
    const std::int64_t together = Contender::steps_together(work);
    contender.steps(warm_up_steps);
    while (state.KeepRunningBatch(together)) contender.steps(together);
  } else {
    for (int i = 0; i < warm_up_steps; ++i) contender.step();
    for ([[maybe_unused]] auto _ : state) {
      contender.step();
      benchmark::ClobberMemory();
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(work.batch));
  if constexpr (requires { contender.flop(); })
    state.counters["flop"] =
        benchmark::Counter(contender.flop(), benchmark::Counter::kIsIterationInvariantRate);
  if (!std::ranges::all_of(contender.parameters(), [](auto value) { return std::isfinite(value); }))
    state.SkipWithError("the parameters are no longer finite");
}

template <class Contender> Flags choose_flags(const Work& work) {
  const auto start = Gradus<typename Contender::Number>(work).parameters();
  use_blas_threads(work.threads);
  std::array contenders{Contender(work, Flags::fast_math), Contender(work, Flags::no_errno)};
  for (Contender& contender : contenders) contender.start_at(start);
  return faster_flags(contenders);
}

template <class Contender> void time_with_flags(benchmark::State& state, const Work& work) {
  // Found out only if it is to run, and once for all repetitions.
  static std::map<std::string, Flags> chosen;
  const std::string name = work.name(precision_name<typename Contender::Number>);
  if (!chosen.contains(name)) chosen[name] = choose_flags<Contender>(work);
  Contender contender(work, chosen[name]);
  time_steps(state, contender, work);
  state.SetLabel(flags_text(chosen[name]));
}

template <class Contender> void time_contender(benchmark::State& state, const Work& work) {
  Contender contender(work);
  time_steps(state, contender, work);
}

template <class Contender> void register_contender(const Work& work) {
  const auto add = [&](auto function) {
    const std::string name =
        fmt::format("{}/{}", work.name(precision_name<typename Contender::Number>), Contender::name);
    benchmark::RegisterBenchmark(name.c_str(), function, work)->Unit(benchmark::kMicrosecond);
  };
  if constexpr (std::is_constructible_v<Contender, Work, Flags>)
    add(time_with_flags<Contender>);
  else if (Contender::takes_part(work))
    add(time_contender<Contender>);
}

template <class First, class... Others> void register_work(const Work& work) {
  register_contender<Gradus<typename First::Number>>(work);
  register_contender<GradusLoop<typename First::Number>>(work);
  register_contender<First>(work);
  (register_contender<Others>(work), ...);
}

// Takes `option VALUE` out of the list; null without it.
const char* take_value(std::vector<char*>& arguments, std::string_view option) {
  const auto found = std::ranges::find(arguments, option, [](const char* a) { return std::string_view(a); });
  if (found == arguments.end()) return nullptr;
  if (found + 1 == arguments.end()) throw Error(fmt::format("{} needs a value", option));
  const char* const value = found[1];
  arguments.erase(found, found + 2);
  return value;
}

void print_plans() {
  for_all_work([]<class First, class...>(const Work& work) {
    using T = typename First::Number;
    fmt::print("# {}\n{}\n", work.name(precision_name<T>), plan_text(Gradus<T>(work).plan()));
  });
}

int measure(std::vector<char*> arguments) {
  for_all_work([]<class... Contenders>(const Work& work) { register_work<Contenders...>(work); });
  return run_benchmarks(std::move(arguments));
}

int run(int argc, char** argv) {
  std::vector<char*> arguments = with_defaults(argc, argv);
  // For all contenders and the whole process; gradus would set it for its own runs, and others pay dearly for
  // denormal weights.
  const FlushToZero flush;
  describe();
  if (take_flag(arguments, "--plans")) {
    print_plans();
    return 0;
  }
  const bool check_only = take_flag(arguments, "--check-only");
  const char* const dump_to = take_value(arguments, "--dump-check");
  check_contenders();
  if (dump_to != nullptr) {
    dump_check(dump_to);
    return 0;
  }
  return check_only ? 0 : measure(std::move(arguments));
}

}  // namespace

}  // namespace gradus::benchmarks

int main(int argc, char** argv) {
  return gradus::benchmarks::guarded("train_step", gradus::benchmarks::run, argc, argv);
}
