#include "tests/support/op_table.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <random>
#include <string_view>

namespace gradus::test {

bool OpRow::differentiable() const {
  return std::ranges::any_of(inputs, [](const RowInput& i) { return i.differentiable; });
}

bool OpRow::batched() const {
  return std::ranges::any_of(inputs, [](const RowInput& i) { return !i.shape.is_constant(); });
}

const std::vector<OpRow>& op_table() {
  static const std::vector<OpRow> table = [] {
    std::vector<OpRow> rows;
    for (const auto part :
         {arithmetic_rows, function_rows, activation_rows, structure_rows, reduction_rows, matmul_rows})
      for (OpRow& row : part()) rows.push_back(std::move(row));
    return rows;
  }();
  return table;
}

namespace {

// The same numbers with every standard library, unlike std::uniform_real_distribution.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11U) * 0x1p-53;
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }

 private:
  std::mt19937_64 engine_;
};

double draw(const Domain& domain, Random& random) {
  if (domain.whole)
    return domain.low +
           static_cast<double>(random.below(static_cast<std::size_t>(domain.high - domain.low) + 1));
  double x = 0;
  const auto is_near = [&](double kink) { return std::abs(x - kink) < Domain::margin; };
  do x = random.uniform(domain.low, domain.high);
  while (std::ranges::any_of(domain.kinks, is_near));
  return x;
}

// Places on a line, in random order, a bit more than a margin from each other.
std::vector<double> distinct(std::size_t n, Random& random) {
  std::vector<double> values(n);
  std::iota(values.begin(), values.end(), -0.5 * static_cast<double>(n));
  for (double& v : values) v = 1.25 * Domain::margin * (v + random.uniform(0, 0.2));
  for (std::size_t i = n; i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
  return values;
}

std::string numbered(std::string_view prefix, std::size_t number) {
  std::string name(prefix);
  return name.append(std::to_string(number));
}

}  // namespace

Tensors sample(const OpRow& row, std::int64_t batch) {
  std::uint64_t seed = static_cast<std::uint64_t>(batch);
  for (const char c : row.name()) seed = 31 * seed + static_cast<unsigned char>(c);
  Random random(seed);
  Tensors inputs;
  std::size_t apart = 0;
  for (const RowInput& input : row.inputs) {
    inputs.push_back({input.shape.resolve(batch), {}});
    const auto count = static_cast<std::size_t>(element_count(inputs.back().extents));
    for (std::size_t i = 0; i < count; ++i) inputs.back().values.push_back(draw(input.domain, random));
    if (input.domain.apart) apart += count;
  }
  std::vector<double> places = distinct(apart, random);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!row.inputs[i].domain.apart) continue;
    for (double& value : inputs[i].values) {
      value = places.back();
      places.pop_back();
    }
  }
  return inputs;
}

Tensor random_direction(const Extents& extents, std::uint64_t seed) {
  Random random(seed);
  return generate(extents, [&](const Extents&) {
    const double magnitude = random.uniform(0.5, 1.5);
    return random.below(2) == 0 ? magnitude : -magnitude;
  });
}

Case::Case(const OpRow& row, std::int64_t batch_size) : batch(batch_size), inputs(sample(row, batch_size)) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    x.push_back(leaf(numbered("x", i), row.inputs[i].shape, inputs[i]));
  output = row.build(graph, x);
  Tensors cotangents;
  pulled = vjp(Exprs{output}, Exprs{direction("cotangent", output.shape(), cotangents)}, x);
  cotangent = cotangents.front();

  Exprs differentiable;
  Exprs tangent_leaves;
  Exprs weight_leaves;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!row.inputs[i].differentiable) continue;
    wrt.push_back(i);
    differentiable.push_back(x[i]);
    gradients.push_back(pulled[i]);
    tangent_leaves.push_back(direction(numbered("tangent", i), x[i].shape(), tangents));
    weight_leaves.push_back(direction(numbered("weight", i), x[i].shape(), weights));
  }
  if (wrt.empty()) return;
  pushed = jvp(Exprs{output}, differentiable, tangent_leaves).front();
  if (row.twice) second = vjp(gradients, weight_leaves, differentiable);
}

Expr Case::leaf(const std::string& name, const Shape& shape, Tensor value) {
  leaves.push_back(graph.input(name, shape));
  values.push_back(std::move(value));
  return leaves.back();
}

Expr Case::direction(const std::string& name, const Shape& shape, Tensors& directions) {
  directions.push_back(random_direction(shape.resolve(batch), 97 * leaves.size() + 1));
  return leaf(name, shape, directions.back());
}

Exprs Case::value_and_pulled() const {
  Exprs exprs = {output};
  exprs.insert(exprs.end(), pulled.begin(), pulled.end());
  return exprs;
}

Exprs Case::everything() const {
  Exprs all = value_and_pulled();
  if (pushed.is_node()) all.push_back(pushed);
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

std::vector<OpRow> rows_where(bool (*wanted)(const OpRow&)) {
  std::vector<OpRow> rows;
  std::ranges::copy_if(op_table(), std::back_inserter(rows), wanted);
  return rows;
}

double broadcast_at(const Tensor& x, const Extents& index) {
  const std::size_t added = index.size() - x.extents.size();
  Extents own;
  for (std::size_t axis = 0; axis < x.extents.size(); ++axis)
    own.push_back(x.extents[axis] == 1 ? 0 : index[added + axis]);
  return x.at(own);
}

Extents broadcast_extents(const Tensors& inputs) {
  std::size_t rank = 0;
  for (const Tensor& x : inputs) rank = std::max(rank, x.extents.size());
  Extents common(rank, 1);
  for (const Tensor& x : inputs)
    for (std::size_t axis = 0; axis < x.extents.size(); ++axis) {
      auto& extent = common[rank - x.extents.size() + axis];
      extent = std::max(extent, x.extents[axis]);
    }
  return common;
}

}  // namespace gradus::test
