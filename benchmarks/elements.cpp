// Elementwise kernels: a fused group over arrays from memory against a hand-written vectorised loop, and
// functions in the first and second cache against loops of std's.
//   elements [--check-only] [Google Benchmark's options]
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/aligned.hpp"
#include "gradus/base/error.hpp"
#include "gradus/base/random.hpp"
#include "gradus/ops.hpp"
#include "gradus/runtime/executable.hpp"
#include "gradus/runtime/flush_to_zero.hpp"
#include "handwritten/std_functions.hpp"
#include "timing.hpp"

namespace gradus::benchmarks {

namespace {

template <class T>
constexpr std::string_view precision_name = sizeof(T) == sizeof(float) ? "float" : "double";

// An expression of inputs that are given once, since feeding them again would be a pass over memory.
template <class T> class Gradus {
 public:
  template <class F>
  Gradus(const std::vector<std::vector<T>>& inputs, F f)
      : executable_(make(inputs.size(), inputs[0].size(), f)) {
    for (std::size_t i = 0; i < inputs.size(); ++i) executable_.feed(fmt::format("x{}", i), inputs[i]);
  }
  void step() { executable_.run(); }
  std::span<const T> result() const { return executable_.output().values; }

 private:
  template <class F> Executable<T> make(std::size_t inputs, std::size_t count, F f) {
    std::vector<Expr> x;
    for (std::size_t i = 0; i < inputs; ++i) x.push_back(graph_.input(fmt::format("x{}", i), {B}));
    return compile<T>({f(x)}, {}, static_cast<std::int64_t>(count), store_);
  }

  Graph graph_;
  Store<T> store_;
  Executable<T> executable_;
};

// ---- sigmoid(a b + c) d -------------------------------------------------------------------------

using Floats = std::vector<std::vector<float>>;

Expr chain_expression(const std::vector<Expr>& x) { return sigmoid(x[0] * x[1] + x[2]) * x[3]; }

Floats chain_inputs(int count) {
  Floats inputs;
  for (const std::uint64_t seed : {1, 2, 3, 4}) inputs.push_back(random_numbers<float>(count, -3, 3, seed));
  return inputs;
}

// Its arrays start on cache lines, as those of gradus do.
class HandwrittenChain {
 public:
  HandwrittenChain(const Floats& x, Flags flags)
      : count_(x[0].size()),
        stride_(align_up(count_ * sizeof(float)) / sizeof(float)),
        memory_(allocate_aligned((x.size() + 1) * stride_ * sizeof(float))),
        function_(kernels_of(flags).sigmoid_chain) {
    for (std::size_t i = 0; i < x.size(); ++i) std::ranges::copy(x[i], array(i));
  }
  void step() { function_(static_cast<int>(count_), array(0), array(1), array(2), array(3), array(4)); }
  std::span<const float> result() const { return {array(4), count_}; }

 private:
  float* array(std::size_t index) const { return reinterpret_cast<float*>(memory_.get()) + index * stride_; }

  std::size_t count_;
  std::size_t stride_;
  AlignedBytes memory_;
  decltype(Kernels::sigmoid_chain) function_;
};

// ---- functions ----------------------------------------------------------------------------------

using Build = Expr (*)(const std::vector<Expr>&);

// gradus' functions, in the order of std_functions.
const Build builders[std_function_count] = {
    [](const std::vector<Expr>& x) { return exp(x[0]); },
    [](const std::vector<Expr>& x) { return sin(x[0]); },
    [](const std::vector<Expr>& x) { return cos(x[0]); },
    [](const std::vector<Expr>& x) { return tan(x[0]); },
    [](const std::vector<Expr>& x) { return asin(x[0]); },
    [](const std::vector<Expr>& x) { return acos(x[0]); },
    [](const std::vector<Expr>& x) { return atan(x[0]); },
    [](const std::vector<Expr>& x) { return sinh(x[0]); },
    [](const std::vector<Expr>& x) { return cosh(x[0]); },
    [](const std::vector<Expr>& x) { return erf(x[0]); },
    [](const std::vector<Expr>& x) { return erfc(x[0]); },
};

template <class T> std::vector<T> input_of(const StdFunction& f, int count) {
  return random_numbers<T>(count, f.from, f.to, 1);
}

template <class T> class StdContender {
 public:
  StdContender(const StdFunction& f, const std::vector<T>& x) : x_(&x), result_(x.size()) {
    if constexpr (sizeof(T) == sizeof(float))
      loop_ = f.in_float;
    else
      loop_ = f.in_double;
  }
  void step() { loop_(static_cast<int>(result_.size()), x_->data(), result_.data()); }
  std::span<const T> result() const { return result_; }

 private:
  StdLoop<T> loop_;
  const std::vector<T>* x_;
  std::vector<T> result_;
};

// ---- proof --------------------------------------------------------------------------------------

template <class Ours, class Theirs>
void expect_same(std::string_view what, double tolerance, Ours& ours, Theirs& theirs) {
  ours.step();
  theirs.step();
  for (std::size_t i = 0; i < theirs.result().size(); ++i) {
    const double a = ours.result()[i];
    const double b = theirs.result()[i];
    if (!(std::abs(a - b) <= tolerance * std::abs(b)))
      throw Error(fmt::format("{}: element {} is {:.17g} with gradus and {:.17g} by hand", what, i, a, b));
  }
}

template <class T> void check_function(int index) {
  constexpr int count = 10'001;
  const StdFunction& f = std_functions[index];
  const auto x = input_of<T>(f, count);
  Gradus<T> gradus({x}, builders[index]);
  StdContender<T> reference(f, x);
  constexpr double tolerance = sizeof(T) == sizeof(float) ? 1e-6 : 1e-14;
  expect_same(fmt::format("{}/{}", f.name, precision_name<T>), tolerance, gradus, reference);
}

void check() {
  constexpr int count = 10'001;
  const Floats x = chain_inputs(count);
  Gradus<float> gradus(x, chain_expression);
  for (const Flags flags : {Flags::fast_math, Flags::no_errno}) {
    HandwrittenChain reference(x, flags);
    // a b + c may be rounded once or twice, and is up to 12.
    expect_same(fmt::format("sigmoid_chain with {}", flags_text(flags)), 4e-6, gradus, reference);
  }
  for (int i = 0; i < std_function_count; ++i) {
    check_function<float>(i);
    check_function<double>(i);
  }
}

// ---- times --------------------------------------------------------------------------------------

// `arrays` of `count` numbers are read or written.
template <class T, class Contender>
void time_steps(benchmark::State& state, Contender& contender, int count, int arrays) {
  contender.step();
  for ([[maybe_unused]] auto _ : state) {
    contender.step();
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * count);
  state.SetBytesProcessed(state.iterations() * count * arrays * static_cast<std::int64_t>(sizeof(T)));
}

void register_chain() {
  constexpr int count = 10'000'000;
  constexpr int arrays = 5;
  const std::string name = fmt::format("elements/sigmoid_chain/float/count:{}/threads:1", count);
  // Made when first wanted, and kept: they take long to fill.
  const auto inputs = []() -> const Floats& {
    static const Floats x = chain_inputs(count);
    return x;
  };
  benchmark::RegisterBenchmark((name + "/gradus").c_str(), [inputs](benchmark::State& state) {
    static Gradus<float> gradus(inputs(), chain_expression);
    time_steps<float>(state, gradus, count, arrays);
  })->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark((name + "/handwritten").c_str(), [inputs](benchmark::State& state) {
    static std::array both{HandwrittenChain(inputs(), Flags::fast_math),
                           HandwrittenChain(inputs(), Flags::no_errno)};
    static const Flags flags = faster_flags(both);
    time_steps<float>(state, both[flags == Flags::fast_math ? 0 : 1], count, arrays);
    state.SetLabel(flags_text(flags));
  })->Unit(benchmark::kMicrosecond);
}

template <class T> void register_function(int index, int count) {
  const StdFunction& f = std_functions[index];
  const std::string name = fmt::format("elements/{}/{}/count:{}/threads:1", f.name, precision_name<T>, count);
  benchmark::RegisterBenchmark((name + "/gradus").c_str(), [&f, index, count](benchmark::State& state) {
    Gradus<T> gradus({input_of<T>(f, count)}, builders[index]);
    time_steps<T>(state, gradus, count, 2);
  })->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark((name + "/std").c_str(), [&f, count](benchmark::State& state) {
    const auto x = input_of<T>(f, count);
    StdContender<T> reference(f, x);
    time_steps<T>(state, reference, count, 2);
  })->Unit(benchmark::kMicrosecond);
}

int run(int argc, char** argv) {
  std::vector<char*> arguments = with_defaults(argc, argv);
  const FlushToZero flush;
  describe();
  check();
  if (take_flag(arguments, "--check-only")) return 0;
  register_chain();
  // Input and output together: half of a first-level cache of 32 KiB, and for exp of a second-level one of
  // 512.
  for (const int kibibytes : {16, 256})
    for (int i = 0; i < (kibibytes == 16 ? std_function_count : 1); ++i) {
      register_function<float>(i, kibibytes * 1024 / 2 / static_cast<int>(sizeof(float)));
      register_function<double>(i, kibibytes * 1024 / 2 / static_cast<int>(sizeof(double)));
    }
  return run_benchmarks(std::move(arguments));
}

}  // namespace

}  // namespace gradus::benchmarks

int main(int argc, char** argv) {
  return gradus::benchmarks::guarded("elements", gradus::benchmarks::run, argc, argv);
}
