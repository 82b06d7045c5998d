// What one core of the machine can do at most: multiplications and additions, and bytes from memory.
//   peak [Google Benchmark's options]
#include <benchmark/benchmark.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "gradus/simd/isa.hpp"
#include "timing.hpp"

namespace gradus::benchmarks {

namespace {

// As many sums under way as fused multiply-adds: more than the latency of one by two a cycle.
constexpr int chains = 12;

struct MultiplyAdd {
  template <Isa isa, class T> static void run(std::int64_t rounds, T factor, T* result) {
    constexpr std::size_t bytes = isa == Isa::avx512 ? 64 : isa == Isa::avx2 ? 32 : 16;
    using Vector [[gnu::vector_size(bytes)]] = T;
    Vector sums[chains];
    const Vector f = factor - Vector{};
    for (int c = 0; c < chains; ++c) sums[c] = static_cast<T>(c) - Vector{};
    [&]<std::size_t... c>(std::index_sequence<c...>) {
      for (std::int64_t i = 0; i < rounds; ++i) ((sums[c] = sums[c] * f + f), ...);
    }
    (std::make_index_sequence<chains>());
    for (const Vector& sum : sums)
      for (std::size_t lane = 0; lane < bytes / sizeof(T); ++lane) *result += sum[lane];
  }
};

std::int64_t lanes(std::size_t size) {
  return (16 << static_cast<int>(current_isa())) / static_cast<std::int64_t>(size);
}

template <class T> void multiply_add(benchmark::State& state) {
  constexpr std::int64_t rounds = 100'000;
  const auto loop = version_for_isa<MultiplyAdd, std::int64_t, T, T*>();
  T result = 0;
  for ([[maybe_unused]] auto _ : state) loop(rounds, T(0.5), &result);
  benchmark::DoNotOptimize(result);
  state.counters["flop"] = benchmark::Counter(2.0 * static_cast<double>(rounds * chains * lanes(sizeof(T))),
                                              benchmark::Counter::kIsIterationInvariantRate);
}

struct Triad {
  template <Isa isa>
  static void run(std::size_t count, const float* __restrict b, const float* __restrict c,
                  float* __restrict a) {
    for (std::size_t i = 0; i < count; ++i) a[i] = b[i] + 3 * c[i];
  }
};

// Arrays that no cache holds, as in STREAM, which counts three of them, too.
void triad(benchmark::State& state) {
  constexpr std::size_t count = 20'000'000;
  std::vector<float> a(count, 1), b(count, 2), c(count, 3);
  const auto loop = version_for_isa<Triad, std::size_t, const float*, const float*, float*>();
  for ([[maybe_unused]] auto _ : state) {
    loop(count, b.data(), c.data(), a.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(3 * count * sizeof(float)));
}

BENCHMARK(multiply_add<float>)->Name("peak/multiply_add/float/threads:1/peak")->Unit(benchmark::kMicrosecond);
BENCHMARK(multiply_add<double>)
    ->Name("peak/multiply_add/double/threads:1/peak")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(triad)->Name("peak/triad/float/threads:1/peak")->Unit(benchmark::kMicrosecond);

}  // namespace

}  // namespace gradus::benchmarks

int main(int argc, char** argv) {
  gradus::benchmarks::describe();
  return gradus::benchmarks::run_benchmarks(gradus::benchmarks::with_defaults(argc, argv));
}
