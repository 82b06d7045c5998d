#include <cmath>

#include "tests/support/op_table.hpp"

// Matrix products and losses.
namespace gradus::test {

namespace {

Expr product(Expr a, Expr b, bool ta, bool tb) { return matmul(a, b, {.a = ta, .b = tb}); }

auto product_of(bool ta, bool tb) {
  return [ta, tb](const Tensors& x) {
    const Tensor &a = x[0], &b = x.back();
    const std::int64_t rows = a.extents[ta ? 1 : 0], inner = a.extents[ta ? 0 : 1],
                       columns = b.extents[tb ? 0 : 1];
    return generate({rows, columns}, [&](const Extents& i) {
      long double sum = 0;
      for (std::int64_t k = 0; k < inner; ++k)
        sum += static_cast<long double>(ta ? a(k, i[0]) : a(i[0], k)) * (tb ? b(i[1], k) : b(k, i[1]));
      return static_cast<double>(sum);
    });
  };
}

// A loss is a scalar: the sum of what each element adds.
template <class F> auto summed(F f, bool average) {
  return [f, average](const Tensors& x) {
    long double sum = 0;
    generate(x[0].extents, [&](const Extents& i) {
      sum += f(x[0].at(i), x[1].at(i));
      return 0;
    });
    const auto count = static_cast<long double>(x[0].values.size());
    return Tensor::scalar(static_cast<double>(average ? sum / count : sum));
  };
}

// −Σ target · log softmax over the classes, averaged over the rows; `target(row, class)`.
template <class F> double cross_entropy_of(const Tensor& logits, F target) {
  const std::int64_t classes = logits.extents.back();
  const std::int64_t rows = static_cast<std::int64_t>(logits.values.size()) / classes;
  long double loss = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto logit = [&](std::int64_t k) {
      return static_cast<long double>(logits.values[static_cast<std::size_t>(r * classes + k)]);
    };
    long double sum = 0;
    for (std::int64_t k = 0; k < classes; ++k) sum += std::exp(logit(k));
    for (std::int64_t k = 0; k < classes; ++k) loss -= target(r, k) * (logit(k) - std::log(sum));
  }
  return static_cast<double>(loss / static_cast<long double>(rows));
}

Tensor cross_entropy_of_labels(const Tensors& x) {
  return Tensor::scalar(cross_entropy_of(x[0], [&](std::int64_t r, std::int64_t k) {
    return x[1].values[static_cast<std::size_t>(r)] == static_cast<double>(k) ? 1.0 : 0.0;
  }));
}

}  // namespace

std::vector<OpRow> matmul_rows() {
  return {
      {.op = "matmul",
       .label = "nn",
       .inputs = {in({B, 3}), in({3, 4})},
       .build = on([](Expr a, Expr b) { return product(a, b, false, false); }),
       .reference = product_of(false, false)},
      {.op = "matmul",
       .label = "nt",
       .inputs = {in({B, 3}), in({4, 3})},
       .build = on([](Expr a, Expr b) { return product(a, b, false, true); }),
       .reference = product_of(false, true)},
      // The product over the batch: a sum over samples.
      {.op = "matmul",
       .label = "tn",
       .inputs = {in({B, 3}), in({B, 4})},
       .build = on([](Expr a, Expr b) { return product(a, b, true, false); }),
       .reference = product_of(true, false)},
      {.op = "matmul",
       .label = "tt",
       .inputs = {in({3, B}), in({4, 3})},
       .build = on([](Expr a, Expr b) { return product(a, b, true, true); }),
       .reference = product_of(true, true)},
      {.op = "matmul",
       .label = "column",
       .inputs = {in({B, 5}), in({5, 1})},
       .build = on([](Expr a, Expr b) { return product(a, b, false, false); }),
       .reference = product_of(false, false)},
      {.op = "matmul",
       .label = "outer",
       .inputs = {in({B, 1}), in({1, 3})},
       .build = on([](Expr a, Expr b) { return product(a, b, false, false); }),
       .reference = product_of(false, false)},
      // Large enough for the library's matrix products at batch 17, and its matrix-vector products at 1.
      {.op = "matmul",
       .label = "large_nn",
       .inputs = {in({B, 24}), in({24, 12})},
       .build = on([](Expr a, Expr b) { return product(a, b, false, false); }),
       .reference = product_of(false, false)},
      {.op = "matmul",
       .label = "large_tt",
       .inputs = {in({24, B}), in({12, 24})},
       .build = on([](Expr a, Expr b) { return product(a, b, true, true); }),
       .reference = product_of(true, true)},
      {.op = "matmul",
       .label = "long_row_nn",
       .inputs = {in({1, 64}), in({64, 66})},
       .build = on([](Expr a, Expr b) { return product(a, b, false, false); }),
       .reference = product_of(false, false)},
      {.op = "matmul",
       .label = "long_row_nt",
       .inputs = {in({1, 64}), in({66, 64})},
       .build = on([](Expr a, Expr b) { return product(a, b, false, true); }),
       .reference = product_of(false, true)},
      {.op = "matmul",
       .label = "gram",
       .inputs = {in({B, 3})},
       .build = on([](Expr a) { return product(a, a, false, true); }),
       .reference = product_of(false, true),
       .mixes_batch = true},

      {.op = "half_squared_error",
       .inputs = {in({B, 3}), in({B, 3})},
       .build = on([](Expr y, Expr t) { return half_squared_error(y, t); }),
       .reference = summed([](double y, double t) { return (y - t) * (y - t) / 2; }, false),
       .composed = true},
      {.op = "mse",
       .inputs = {in({B, 3}), in({B, 3})},
       .build = on([](Expr y, Expr t) { return mse(y, t); }),
       .reference = summed([](double y, double t) { return (y - t) * (y - t); }, true),
       .mixes_batch = true,
       .composed = true},
      {.op = "cross_entropy",
       .label = "probabilities",
       .inputs = {in({B, 4}), in({B, 4}, between(0.1, 1))},
       .build = on([](Expr x, Expr t) { return cross_entropy(x, t); }),
       .reference =
           [](const Tensors& x) {
             return Tensor::scalar(
                 cross_entropy_of(x[0], [&](std::int64_t r, std::int64_t k) { return x[1](r, k); }));
           },
       .mixes_batch = true,
       .composed = true},
      {.op = "cross_entropy",
       .label = "labels",
       .inputs = {in({B, 4}), fixed({B}, whole(0, 3))},
       .build = on([](Expr x, Expr t) { return cross_entropy(x, t); }),
       .reference = cross_entropy_of_labels,
       .mixes_batch = true,
       .composed = true},
      {.op = "cross_entropy",
       .label = "sequences",
       .inputs = {in({B, 2, 3}), fixed({B, 2}, whole(0, 2))},
       .build = on([](Expr x, Expr t) { return cross_entropy(x, t); }),
       .reference = cross_entropy_of_labels,
       .mixes_batch = true,
       .composed = true},
      {.op = "binary_cross_entropy",
       .inputs = {in({B, 3}), in({B, 3}, between(0, 1))},
       .build = on([](Expr x, Expr t) { return binary_cross_entropy(x, t); }),
       .reference =
           summed([](double x,
                     double t) { return t * std::log1p(std::exp(-x)) + (1 - t) * std::log1p(std::exp(x)); },
                  true),
       .mixes_batch = true,
       .composed = true},
  };
}

}  // namespace gradus::test
