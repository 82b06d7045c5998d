// Shows every row of the op table to the gradient check alone, without the rows' references: what mutate.py
// asks first about a damaged reverse rule. Also that forward and reverse derivatives are each other's
// adjoints, and that hvp is the derivative of the gradient. Exits with 1 at the first row that fails.
#include <fmt/format.h>

#include <cmath>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/check/gradient_check.hpp"
#include "gradus/custom_op.hpp"
#include "tests/support/op_table.hpp"

namespace gradus::test {

// Its derivative is a number other than 1.
class Doubled final : public Unary<Doubled> {
 public:
  static constexpr std::string_view name = "doubled";
  template <class T> static T f(T x) { return x + x; }
  template <class T> static T d(T, T) { return 2; }
};

// Its derivative is the number 0.
class Step final : public Unary<Step> {
 public:
  static constexpr std::string_view name = "step";
  template <class T> static T f(T x) { return x > T(0.0); }
  template <class T> static T d(T, T) { return T(0.0); }
};

namespace {

constexpr std::int64_t most_in_full = 2500;

// A row at a batch, its inputs being leaves of the graph.
struct Subject {
  Graph graph;
  Exprs x;
  Exprs wrt;
  Point point;
  Expr output;

  Subject(const OpRow& row, std::int64_t batch) {
    const Tensors values = sample(row, batch);
    for (std::size_t i = 0; i < row.inputs.size(); ++i) {
      const std::string name = "x" + std::to_string(i);
      x.push_back(graph.input(name, row.inputs[i].shape));
      point[name] = values[i].values;
      if (row.inputs[i].differentiable) wrt.push_back(x.back());
    }
    output = row.build(graph, x);
  }
};

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

bool close(double a, double b, double size) { return std::abs(a - b) <= 1e-9 * size + 1e-12; }

// ⟨v, J u⟩ = ⟨Jᵀ v, u⟩, and the same of the gradient: hvp against a product of differences' own making.
bool is_adjoint(Subject& s, std::int64_t batch, bool twice) {
  const auto direction = [&](const Expr& like, const std::string& name, std::uint64_t seed) {
    const Expr input = s.graph.input(name, like.shape());
    s.point[name] = random_direction(like.shape().resolve(batch), seed).values;
    return input;
  };
  const Expr v = direction(s.output, "v", 1);
  Exprs u;
  for (std::size_t i = 0; i < s.wrt.size(); ++i)
    u.push_back(direction(s.wrt[i], fmt::format("u{}", i), i + 2));
  const Exprs output{s.output};
  Exprs exprs{jvp(output, s.wrt, u).front()};
  for (const Expr& pulled : vjp(output, Exprs{v}, s.wrt)) exprs.push_back(pulled);
  if (twice) {
    const Expr loss = sum(v * s.output);
    if (!grad(loss, s.wrt.front()).same_as(grad(loss, s.wrt).front())) return false;
    const Exprs products = hvp(loss, s.wrt, u);
    const Exprs pushed = jvp(grad(loss, s.wrt), s.wrt, u);
    exprs.insert(exprs.end(), products.begin(), products.end());
    exprs.insert(exprs.end(), pushed.begin(), pushed.end());
  }
  Store<double> store;
  auto program = compile<double>(std::span<const Expr>(exprs), {}, batch, store);
  put(s.point, program, store);
  program.run();
  std::vector<std::vector<double>> found;
  for (std::size_t i = 0; i < exprs.size(); ++i) {
    const auto values = program.output(i).values;
    found.emplace_back(values.begin(), values.end());
  }
  double pulled = 0, size = 0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    const auto& direction = s.point[fmt::format("u{}", i)];
    pulled += dot(found[1 + i], direction);
    for (std::size_t k = 0; k < direction.size(); ++k) size += std::abs(found[1 + i][k] * direction[k]);
  }
  if (!close(dot(found[0], s.point["v"]), pulled, size)) return false;
  for (std::size_t i = 0; twice && i < u.size(); ++i) {
    const auto& product = found[1 + u.size() + i];
    const auto& pushed = found[1 + 2 * u.size() + i];
    for (std::size_t k = 0; k < product.size(); ++k)
      if (!close(product[k], pushed[k], std::abs(product[k]) + std::abs(pushed[k]) + 1)) return false;
  }
  return true;
}

// Nothing when the row passes.
std::string fault(const OpRow& row, std::int64_t batch) {
  Subject s(row, batch);
  GradientCheckOptions options{.order = row.twice ? 2 : 1};
  std::int64_t comparisons = 0;
  for (const Expr& x : s.wrt) comparisons += element_count(x.shape().resolve(batch));
  comparisons *= element_count(s.output.shape().resolve(batch));
  if (comparisons > most_in_full) options.mode = GradientCheckOptions::Mode::fast;
  GradientReport report = check_gradient(s.output, s.wrt, s.point, batch, options);
  // The row says that samples mix, or that there are extents that are no multiple of the batch.
  if (row.mixes_batch) std::erase_if(report.properties, [](const auto& p) { return p.name == "batch"; });
  if (!report.ok()) return report.text();
  return is_adjoint(s, batch, row.twice) ? "" : "forward and reverse derivatives disagree";
}

Domain only(double value) { return whole(value, value); }

// The table draws values that are on no kink. These rows are on one, and smooth although their parts have
// ties (x itself, whichever operand wins, if the shares of the gradient are right), or are powers of and by
// 0.
std::vector<OpRow> special_rows() {
  const auto power = on([](Expr a, Expr b) { return pow(a, b); });
  return {{.op = "maximum", .label = "itself", .inputs = {in({B, 3})}, .build = on([](Expr x) {
                                                                         return maximum(x, x);
                                                                       })},
          {.op = "minimum", .label = "itself", .inputs = {in({B, 3})}, .build = on([](Expr x) {
                                                                         return minimum(x, x);
                                                                       })},
          {.op = "max", .label = "of_equals", .inputs = {in({B, 1})}, .build = on([](Expr x) {
                                                                        return max(concat({x, x, x}, 1), {1});
                                                                      })},
          {.op = "pow",
           .label = "by_0",
           .inputs = {in({B, 3}, between(0.5, 2)), in({B, 3}, only(0))},
           .build = power},
          {.op = "pow",
           .label = "0_by_0",
           .inputs = {in({B}, only(0)), fixed({B}, only(0))},
           .build = power,
           .twice = false},
          {.op = "pow",
           .label = "0_by_2",
           .inputs = {in({B}, only(0)), fixed({B}, only(2))},
           .build = power,
           .twice = false},
          {.op = "pow",
           .label = "of_0",
           .inputs = {fixed({B}, only(0)), in({B}, between(1, 3))},
           .build = power,
           .twice = false},
          {.op = "doubled", .inputs = {in({B, 3})}, .build = on([](Expr x) { return build<Doubled>({x}); })},
          {.op = "step", .inputs = {in({B, 3}, between(1, 2))}, .build = on([](Expr x) {
                                                                  return build<Step>({x});
                                                                })}};
}

int run() {
  std::vector<OpRow> rows = op_table();
  std::ranges::move(special_rows(), std::back_inserter(rows));
  for (const OpRow& row : rows) {
    if (!row.differentiable()) continue;
    std::string why;
    try {
      why = fault(row, row.batched() ? 3 : 1);
    } catch (const Error& error) {
      why = error.what();
    }
    if (why.empty()) continue;
    fmt::print("{}: {}\n", row.name(), why);
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace gradus::test

int main() { return gradus::test::run(); }
