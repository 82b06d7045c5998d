// What it costs to get from a model's source to a program: writing the graph down, differentiating,
// compiling. For chains of 10² to 10⁵ nodes, matrix products among elementwise ops. And how much memory the
// plan saves, for these and for mnist's training step.
#include <benchmark/benchmark.h>

#include <array>
#include <memory>

#include "framework/compile/plan.hpp"
#include "gradus/autodiff/gradient.hpp"
#include "gradus/graph/node.hpp"
#include "gradus/nn/initializers.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/optimizers.hpp"
#include "gradus/runtime/executable.hpp"
#include "models/tutorials/all.hpp"
#include "timing.hpp"

namespace gradus::benchmarks {

namespace {

constexpr std::int64_t width = 16;
constexpr std::int64_t batch = 8;
// Every so many links of the chain there is a layer of its own, as in a deep network.
constexpr std::int64_t links_per_layer = 10;

struct Chain {
  Graph graph;
  Expr loss;

  explicit Chain(std::int64_t nodes) {
    Expr h = graph.input("x", {B, width});
    for (std::int64_t layer = 0; graph.size() < nodes; ++layer) {
      const std::string name = std::to_string(layer);
      const Expr w = graph.parameter("W" + name, {width, width}, glorot_uniform());
      const Expr b = graph.parameter("b" + name, {width});
      h = matmul(h, w) + b;
      for (std::int64_t link = 0; link < links_per_layer && graph.size() < nodes; ++link) h = next(h, link);
    }
    loss = mean(square(h));
  }

 private:
  static Expr next(const Expr& h, std::int64_t link) {
    switch (link % 5) {
      case 0:
        return sigmoid(h);
      case 1:
        return h * h;
      case 2:
        return relu(h - 0.5);
      case 3:
        return tanh(h) + h;
      default:
        return exp(-h);
    }
  }
};

// Adds the time a node, which the library prints in nanoseconds and writes to JSON in seconds.
void report(benchmark::State& state, std::int64_t nodes) {
  using benchmark::Counter;
  state.counters["nodes"] = static_cast<double>(nodes);
  state.counters["time_per_node"] =
      Counter(static_cast<double>(nodes), Counter::kIsIterationInvariantRate | Counter::kInvert);
}

void build(benchmark::State& state) {
  std::int64_t nodes = 0;
  for ([[maybe_unused]] auto _ : state) {
    auto chain = std::make_unique<Chain>(state.range());
    nodes = chain->graph.size();
    state.PauseTiming();
    chain.reset();
    state.ResumeTiming();
  }
  report(state, nodes);
}

// Per node that the gradient adds, updates included.
void differentiate(benchmark::State& state) {
  std::int64_t nodes = 0;
  for ([[maybe_unused]] auto _ : state) {
    state.PauseTiming();
    auto chain = std::make_unique<Chain>(state.range());
    const NodeId before = chain->graph.size();
    state.ResumeTiming();
    benchmark::DoNotOptimize(sgd(chain->loss));
    state.PauseTiming();
    nodes = chain->graph.size() - before;
    chain.reset();
    state.ResumeTiming();
  }
  report(state, nodes);
}

// What all tensors that an op computes would take, each in a place of its own.
double bytes_of_tensors(const Plan& plan) {
  const Graph& graph = *plan.program.graph;
  std::int64_t elements = 0;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!graph[id].is_leaf() && !graph[id].tuple && !graph[id].view)
      elements += element_count(graph[id].shape.resolve(plan.dims.batch));
  }
  return static_cast<double>(elements) * static_cast<double>(bytes_of(plan.dtype));
}

// `tensors`: what the arena would hold without any sharing.
void report_memory(benchmark::State& state, const Plan& plan, double tensors) {
  const auto bytes = [](double value) {
    return benchmark::Counter(value, benchmark::Counter::kDefaults, benchmark::Counter::kIs1024);
  };
  const auto arena = static_cast<double>(plan.arena_bytes);
  state.counters["arena"] = bytes(arena);
  state.counters["all_tensors"] = bytes(tensors);
  state.counters["arena_share"] = arena / tensors;
}

// Per node of the graph with gradient and updates.
void compile_step(benchmark::State& state) {
  Chain chain(state.range());
  const auto updates = sgd(chain.loss);
  const std::array outputs{chain.loss};
  Store<float> store;
  const auto compile_it = [&] {
    return std::make_unique<Executable<float>>(
        compile<float>(std::span<const Expr>(outputs), std::span<const Update>(updates), batch, store));
  };
  const auto first = compile_it();  // makes the variables, which later ones find
  for ([[maybe_unused]] auto _ : state) {
    auto executable = compile_it();
    state.PauseTiming();
    executable.reset();
    state.ResumeTiming();
  }
  report(state, chain.graph.size());
  report_memory(state, first->plan(), bytes_of_tensors(first->plan()));
  state.counters["steps"] = static_cast<double>(first->plan().steps.size());
}

// mnist's step with Adam. Without what Adam itself computes, which plain loops would keep in registers, all
// tensors are those of the loss and its gradients.
void mnist_memory(benchmark::State& state) {
  const Problem problem = find_tutorial("mnist").problem();
  const std::array loss{problem.loss};
  std::vector<Expr> outputs = grad(problem.loss, problem.graph->parameters());
  outputs.push_back(problem.loss);
  Store<float> store;
  const auto gradients = compile<float>(std::span<const Expr>(outputs), {}, state.range(), store);
  const auto compile_it = [&] {
    return compile<float>(std::span<const Expr>(loss), std::span(problem.updates), state.range(), store);
  };
  const auto first = compile_it();
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(compile_it());
  report_memory(state, first.plan(), bytes_of_tensors(gradients.plan()));
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("nodes")->RangeMultiplier(10)->Range(100, 100'000)->Unit(benchmark::kMillisecond);
}

BENCHMARK(build)->Name("graph_build/build")->Apply(sizes);
BENCHMARK(differentiate)->Name("graph_build/gradient")->Apply(sizes);
BENCHMARK(compile_step)->Name("graph_build/compile")->Apply(sizes);
BENCHMARK(mnist_memory)
    ->Name("memory/mnist/adam/float")
    ->ArgName("batch")
    ->Arg(1)
    ->Arg(32)
    ->Arg(256)
    ->Arg(1024)
    ->Unit(benchmark::kMillisecond);

}  // namespace

}  // namespace gradus::benchmarks

int main(int argc, char** argv) {
  gradus::benchmarks::describe();
  return gradus::benchmarks::run_benchmarks(gradus::benchmarks::with_defaults(argc, argv));
}
