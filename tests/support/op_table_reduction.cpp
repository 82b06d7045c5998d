#include <cmath>

#include "tests/support/op_table.hpp"

// Sums, means, maxima and what works along an axis.
namespace gradus::test {

namespace {

using Line = std::vector<double>;

// The numbers that one element of a reduction over `axes` is made of.
Line line_at(const Tensor& x, const Axes& axes, const Extents& index) {
  Line line;
  generate(x.extents, [&](const Extents& i) {
    bool same = true;
    for (std::size_t axis = 0; axis < i.size(); ++axis)
      same =
          same && (i[axis] == index[axis] || std::ranges::count(axes, static_cast<std::int64_t>(axis)) > 0);
    if (same) line.push_back(x.at(i));
    return 0;
  });
  return line;
}

// A reference that reduces over axes by a function of the numbers along them. Axes stay with extent 1.
auto kept(Axes axes, double (*f)(const Line&)) {
  return [axes, f](const Tensors& x) {
    Extents extents = x[0].extents;
    for (const auto axis : axes) extents[static_cast<std::size_t>(axis)] = 1;
    return generate(extents, [&](const Extents& i) { return f(line_at(x[0], axes, i)); });
  };
}

// The same, without those axes.
auto reduced(Axes axes, double (*f)(const Line&)) {
  return [axes, keep = kept(axes, f)](const Tensors& x) {
    Tensor tensor = keep(x);
    Extents left;
    for (std::size_t axis = 0; axis < tensor.extents.size(); ++axis)
      if (std::ranges::count(axes, static_cast<std::int64_t>(axis)) == 0)
        left.push_back(tensor.extents[axis]);
    tensor.extents = left;
    return tensor;
  };
}

// A reference that maps each element by a function of it and of the numbers along its axis.
auto along(std::int64_t axis, double (*f)(double, const Line&)) {
  return [axis, f](const Tensors& x) {
    return generate(x[0].extents, [&](const Extents& i) { return f(x[0].at(i), line_at(x[0], {axis}, i)); });
  };
}

double total(const Line& line) {
  long double sum = 0;
  for (const double x : line) sum += x;
  return static_cast<double>(sum);
}
double average(const Line& line) { return total(line) / static_cast<double>(line.size()); }
double largest(const Line& line) { return *std::ranges::max_element(line); }
double least(const Line& line) { return *std::ranges::min_element(line); }
double product(const Line& line) {
  long double product = 1;
  for (const double x : line) product *= x;
  return static_cast<double>(product);
}
// y along axis 1 of [·, n, ·], backwards or not.
auto recurrence(double first, bool backwards) {
  return [first, backwards](const Tensors& x) {
    Tensor y = x[0];
    const std::int64_t n = y.extents[1], columns = y.extents.size() > 2 ? y.extents[2] : 1;
    for (std::size_t i = 0; i < y.values.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      const std::int64_t row = at / columns % n, turned = backwards ? n - 1 - row : row;
      // Rows before this one, from the start on.
      double value = first;
      for (std::int64_t k = 0; k < turned; ++k) {
        const std::int64_t other = at + ((backwards ? n - 1 - k : k) - row) * columns;
        value = x[0].values[static_cast<std::size_t>(other)] * value +
                x[1].values[static_cast<std::size_t>(other)];
      }
      y.values[i] = value;
    }
    return y;
  };
}
double length(const Line& line) {
  long double sum = 0;
  for (const double x : line) sum += static_cast<long double>(x) * x;
  return static_cast<double>(std::sqrt(sum));
}
double log_total(const Line& line) {
  long double sum = 0;
  for (const double x : line) sum += std::exp(static_cast<long double>(x));
  return static_cast<double>(std::log(sum));
}
double share(double x, const Line& line) { return std::exp(x - log_total(line)); }
double log_share(double x, const Line& line) { return x - log_total(line); }

// A reference of cotangents c pulled through a softmax of x along an axis, from c, the share p of x, Σ c and
// Σ p·c.
auto pulled(std::int64_t axis, double (*f)(double c, double p, double sum, double mean)) {
  return [axis, f](const Tensors& in) {
    return generate(in[0].extents, [&](const Extents& i) {
      const Line c = line_at(in[0], {axis}, i), x = line_at(in[1], {axis}, i);
      double mean = 0;
      for (std::size_t k = 0; k < c.size(); ++k) mean += c[k] * share(x[k], x);
      return f(in[0].at(i), share(in[1].at(i), x), total(c), mean);
    });
  };
}

// c through the softmax, or its logarithm.
Expr through(const Expr& y, const Expr& c, const Expr& x) { return vjp(Exprs{y}, Exprs{c}, Exprs{x})[0]; }

}  // namespace

std::vector<OpRow> reduction_rows() {
  return {
      {.op = "sum",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return sum(x); }),
       .reference = reduced({0, 1}, total)},
      {.op = "sum",
       .label = "last",
       .inputs = {in({B, 19})},
       .build = on([](Expr x) { return sum(x, {-1}); }),
       .reference = reduced({1}, total)},
      {.op = "sum",
       .label = "batch",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return sum(x, {0}); }),
       .reference = reduced({0}, total)},
      {.op = "sum",
       .label = "outer_and_last",
       .inputs = {in({B, 3, 2})},
       .build = on([](Expr x) {
         return sum(x, {2, 0});
       }),
       .reference = reduced({0, 2}, total)},
      {.op = "sum",
       .label = "middle_kept",
       .inputs = {in({B, 3, 2})},
       .build = on([](Expr x) { return sum(x, {1}, true); }),
       .reference = kept({1}, total)},
      {.op = "sum",
       .label = "of_squares",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return sum(x * x, {1}); }),
       .reference = reduced({1},
                            [](const Line& line) {
                              double sum = 0;
                              for (const double x : line) sum += x * x;
                              return sum;
                            })},

      {.op = "prod",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return prod(x, {-1}); }),
       .reference = reduced({1}, product)},
      {.op = "prod",
       .label = "all",
       .inputs = {in({B, 4}, between(0.75, 1.25))},
       .build = on([](Expr x) { return prod(x); }),
       .reference = reduced({0, 1}, product),
       .mixes_batch = true},
      {.op = "prod",
       .label = "batch",
       .inputs = {in({B, 3})},
       .build = on([](Expr x) { return prod(x, {0}); }),
       .reference = reduced({0}, product),
       .mixes_batch = true},
      {.op = "prod",
       .label = "middle_kept",
       .inputs = {in({B, 3, 2})},
       .build = on([](Expr x) { return prod(x, {1}, true); }),
       .reference = kept({1}, product)},
      {.op = "prod",
       .label = "outer_and_last",
       .inputs = {in({2, B, 3})},
       .build = on([](Expr x) {
         return prod(x, {0, 2});
       }),
       .reference = reduced({0, 2}, product)},
      {.op = "linear_recurrence",
       .inputs = {in({B, 5}), in({B, 5})},
       .build = on([](Expr a, Expr c) { return linear_recurrence(a, c, 1); }),
       .reference = recurrence(0, false)},
      {.op = "linear_recurrence",
       .label = "from_the_end",
       .inputs = {in({B, 4, 2}), in({B, 4, 2})},
       .build = on(
           [](Expr a, Expr c) { return linear_recurrence(a, c, -2, {.first = 1.5, .from_the_end = true}); }),
       .reference = recurrence(1.5, true)},
      {.op = "norm",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return norm(x); }),
       .reference = reduced({0, 1}, length),
       .mixes_batch = true},
      {.op = "norm",
       .label = "rows",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return norm(x, {-1}); }),
       .reference = reduced({1}, length)},
      {.op = "norm",
       .label = "kept",
       .inputs = {in({B, 3, 2})},
       .build = on([](Expr x) { return norm(x, {1}, true); }),
       .reference = kept({1}, length)},
      {.op = "min",
       .inputs = {in({B, 4}, apart())},
       .build = on([](Expr x) { return min(x, {-1}); }),
       .reference = reduced({1}, least)},
      {.op = "min",
       .label = "outer_and_last_kept",
       .inputs = {in({B, 3, 2}, apart())},
       .build = on([](Expr x) {
         return min(x, {0, 2}, true);
       }),
       .reference = kept({0, 2}, least),
       .mixes_batch = true},
      {.op = "max",
       .inputs = {in({B, 4}, apart())},
       .build = on([](Expr x) { return max(x, {-1}); }),
       .reference = reduced({1}, largest)},
      {.op = "max",
       .label = "all",
       .inputs = {in({B, 4}, apart())},
       .build = on([](Expr x) { return max(x); }),
       .reference = reduced({0, 1}, largest),
       .mixes_batch = true},
      {.op = "max",
       .label = "batch",
       .inputs = {in({B, 3}, apart())},
       .build = on([](Expr x) { return max(x, {0}); }),
       .reference = reduced({0}, largest),
       .mixes_batch = true},
      {.op = "max",
       .label = "middle_kept",
       .inputs = {in({B, 3, 2}, apart())},
       .build = on([](Expr x) { return max(x, {1}, true); }),
       .reference = kept({1}, largest)},
      {.op = "max",
       .label = "outer_and_last",
       .inputs = {in({2, B, 3}, apart())},
       .build = on([](Expr x) {
         return max(x, {0, 2});
       }),
       .reference = reduced({0, 2}, largest)},

      {.op = "logsumexp",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return logsumexp(x); }),
       .reference = reduced({1}, log_total)},
      {.op = "logsumexp",
       .label = "batch",
       .inputs = {in({B, 3})},
       .build = on([](Expr x) { return logsumexp(x, 0); }),
       .reference = reduced({0}, log_total),
       .mixes_batch = true},
      {.op = "logsumexp",
       .label = "middle",
       .inputs = {in({B, 3, 2})},
       .build = on([](Expr x) { return logsumexp(x, 1); }),
       .reference = reduced({1}, log_total)},
      {.op = "log_softmax",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return log_softmax(x); }),
       .reference = along(1, log_share)},
      {.op = "log_softmax",
       .label = "batch",
       .inputs = {in({B, 3})},
       .build = on([](Expr x) { return log_softmax(x, 0); }),
       .reference = along(0, log_share),
       .mixes_batch = true},
      {.op = "log_softmax",
       .label = "middle",
       .inputs = {in({B, 3, 2})},
       .build = on([](Expr x) { return log_softmax(x, -2); }),
       .reference = along(1, log_share)},
      {.op = "softmax",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return softmax(x); }),
       .reference = along(1, share)},
      {.op = "softmax",
       .label = "batch",
       .inputs = {in({B, 3})},
       .build = on([](Expr x) { return softmax(x, 0); }),
       .reference = along(0, share),
       .mixes_batch = true},
      {.op = "softmax",
       .label = "middle",
       .inputs = {in({B, 3, 2})},
       .build = on([](Expr x) { return softmax(x, 1); }),
       .reference = along(1, share)},

      {.op = "less_mean",
       .inputs = {in({B, 4}), in({B, 4})},
       .build = on([](Expr c, Expr x) { return through(through(log_softmax(x), c, x), c, c); }),
       .reference = pulled(1, [](double c, double, double, double mean) { return c - mean; })},
      {.op = "less_mean",
       .label = "adjoint",
       .inputs = {in({B, 4}), in({B, 4})},
       .build = on([](Expr c, Expr x) { return through(log_softmax(x), c, x); }),
       .reference = pulled(1, [](double c, double p, double sum, double) { return c - p * sum; })},
      {.op = "less_mean",
       .label = "adjoint_middle",
       .inputs = {in({B, 2, 3}), in({B, 2, 3})},
       .build = on([](Expr c, Expr x) { return through(log_softmax(x, 1), c, x); }),
       .reference = pulled(1, [](double c, double p, double sum, double) { return c - p * sum; })},

      {.op = "mean",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return mean(x); }),
       .reference = reduced({0, 1}, average),
       .mixes_batch = true,
       .composed = true},
      {.op = "mean",
       .label = "last",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return mean(x, {-1}); }),
       .reference = reduced({1}, average),
       .composed = true},
      {.op = "mean",
       .label = "batch",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return mean(x, {0}); }),
       .reference = reduced({0}, average),
       .mixes_batch = true,
       .composed = true},
  };
}

}  // namespace gradus::test
