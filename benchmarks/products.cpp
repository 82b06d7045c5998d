// Matrix products by gradus, by its own kernels alone, and by OpenBLAS.
//   products [Google Benchmark's options]
#include <benchmark/benchmark.h>
#include <cblas.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "environment.hpp"
#include "gradus/base/error.hpp"
#include "gradus/base/random.hpp"
#include "gradus/ops.hpp"
#include "gradus/runtime/executable.hpp"
#include "gradus/runtime/flush_to_zero.hpp"
#include "timing.hpp"
#include "work.hpp"

namespace gradus::benchmarks {

namespace {

struct Product {
  int m, n, k;
  Transposed transposed;

  std::string name() const {
    return fmt::format("{}x{}x{}{}{}", m, n, k, transposed.a ? "_aT" : "", transposed.b ? "_bT" : "");
  }
  double flop() const { return 2.0 * m * n * k; }
};

// Those of mnist and the gradients of its weights, that by its hidden layer, and square ones.
std::vector<Product> all_products() {
  std::vector<Product> all;
  for (const int batch : {1, 4, 16, 32, 64, 256, 1024}) {
    all.push_back({batch, 128, 784, {}});
    all.push_back({784, 128, batch, {.a = true}});
    all.push_back({batch, 128, 10, {.b = true}});
    all.push_back({batch, 10, 128, {}});
    all.push_back({128, 10, batch, {.a = true}});
  }
  for (const int size : {128, 256, 512, 1024}) {
    all.push_back({size, size, size, {}});
    all.push_back({size, size, size, {.a = true}});
    all.push_back({size, size, size, {.b = true}});
  }
  for (const int batch : {1, 32}) {
    all.push_back({batch, 1024, 1024, {}});
    all.push_back({batch, 1024, 1024, {.b = true}});
    all.push_back({1024, 1024, batch, {.a = true}});
  }
  return all;
}

template <class T> struct Operands {
  explicit Operands(const Product& p)
      : a(random_numbers<T>(std::int64_t{p.m} * p.k, -1, 1, 1)),
        b(random_numbers<T>(std::int64_t{p.k} * p.n, -1, 1, 2)) {}
  std::vector<T> a, b;
};

// The operands are fed once, and stay.
template <class T> class Gradus {
 public:
  Gradus(const Product& p, bool reproducible) {
    const auto [ta, tb] = p.transposed;
    const Expr a = graph_.input("a", ta ? Shape{p.k, p.m} : Shape{p.m, p.k});
    const Expr b = graph_.input("b", tb ? Shape{p.n, p.k} : Shape{p.k, p.n});
    program_ = std::make_unique<Executable<T>>(
        compile<T>({matmul(a, b, p.transposed)}, {}, 1, store_, {.reproducible = reproducible}));
    const Operands<T> operands(p);
    program_->feed(a, operands.a);
    program_->feed(b, operands.b);
  }
  void step() { program_->run(); }
  std::span<const T> result() const { return program_->output().values; }

 private:
  Graph graph_;
  Store<T> store_;
  std::unique_ptr<Executable<T>> program_;
};

template <class T> class OpenBlas {
 public:
  explicit OpenBlas(const Product& p) : product_(p), operands_(p), c_(static_cast<std::size_t>(p.m) * p.n) {}
  void step() {
    const auto& [m, n, k, transposed] = product_;
    const T *a = operands_.a.data(), *b = operands_.b.data();
    const auto ta = transposed.a ? CblasTrans : CblasNoTrans, tb = transposed.b ? CblasTrans : CblasNoTrans;
    const int lda = transposed.a ? m : k, ldb = transposed.b ? k : n;
    if constexpr (sizeof(T) == sizeof(float)) {
      if (m == 1)
        cblas_sgemv(CblasRowMajor, transposed.b ? CblasNoTrans : CblasTrans, transposed.b ? n : k,
                    transposed.b ? k : n, 1, b, ldb, a, 1, 0, c_.data(), 1);
      else
        cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, b, ldb, 0, c_.data(), n);
    } else {
      if (m == 1)
        cblas_dgemv(CblasRowMajor, transposed.b ? CblasNoTrans : CblasTrans, transposed.b ? n : k,
                    transposed.b ? k : n, 1, b, ldb, a, 1, 0, c_.data(), 1);
      else
        cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, b, ldb, 0, c_.data(), n);
    }
  }
  std::span<const T> result() const { return c_; }

 private:
  Product product_;
  Operands<T> operands_;
  std::vector<T> c_;
};

template <class T> void check(const Product& p) {
  OpenBlas<T> theirs(p);
  theirs.step();
  for (const bool reproducible : {false, true}) {
    Gradus<T> ours(p, reproducible);
    ours.step();
    // Terms are less than 1, and rounding errors add up like random steps.
    const double allowed = (sizeof(T) == sizeof(float) ? 4e-6 : 1e-14) * std::sqrt(p.k);
    for (std::size_t i = 0; i < theirs.result().size(); ++i) {
      const double difference = std::abs(static_cast<double>(ours.result()[i]) - theirs.result()[i]);
      if (!(difference <= allowed))
        throw Error(fmt::format("{}: element {} is {} with gradus and {} with OpenBLAS", p.name(), i,
                                ours.result()[i], theirs.result()[i]));
    }
  }
}

template <class Contender> void time_steps(benchmark::State& state, const Product& p, Contender contender) {
  contender.step();
  for ([[maybe_unused]] auto _ : state) {
    contender.step();
    benchmark::ClobberMemory();
  }
  state.counters["flop"] = benchmark::Counter(p.flop(), benchmark::Counter::kIsIterationInvariantRate);
}

template <class T> void register_product(const Product& p) {
  const auto add = [&](const char* contender, auto make) {
    benchmark::RegisterBenchmark(
        fmt::format("products/{}/{}/threads:1/{}", p.name(), precision_name<T>, contender).c_str(),
        [p, make](benchmark::State& state) { time_steps(state, p, make()); })
        ->Unit(benchmark::kMicrosecond);
  };
  add("gradus", [p] { return Gradus<T>(p, false); });
  add("reproducible", [p] { return Gradus<T>(p, true); });
  add("openblas", [p] { return OpenBlas<T>(p); });
}

int run(int argc, char** argv) {
  std::vector<char*> arguments = with_defaults(argc, argv);
  const FlushToZero flush;
  describe();
  use_blas_threads(1);
  const std::vector<Product> products = all_products();
  for (const Product& p : products) {
    check<float>(p);
    check<double>(p);
  }
  if (take_flag(arguments, "--check-only")) return 0;
  for (const Product& p : products) register_product<float>(p);
  for (const Product& p : products) register_product<double>(p);
  return run_benchmarks(std::move(arguments));
}

}  // namespace

}  // namespace gradus::benchmarks

int main(int argc, char** argv) {
  return gradus::benchmarks::guarded("products", gradus::benchmarks::run, argc, argv);
}
