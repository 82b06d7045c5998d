#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "tests/support/op_table.hpp"

// Every row of the op table against its reference, against differences, and under every way to run it; and
// that every op has a row.
namespace gradus::test {
namespace {

Numbers flat(const std::vector<Numbers>& parts) {
  Numbers all;
  for (const Numbers& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Numbers flat(const Tensors& parts) {
  Numbers all;
  for (const Tensor& part : parts) all.insert(all.end(), part.values.begin(), part.values.end());
  return all;
}

// The derivative of each output along a line by the four-point stencil. `move(s)` goes s along it. Outputs
// are subtracted one by one, so that what does not change gives exactly 0.
template <class Move> Numbers stencil(Evaluator<double>& f, Move move, double h) {
  const auto at = [&](double s) {
    move(s);
    return flat(f.run());
  };
  const Numbers left2 = at(-2 * h), left = at(-h), right = at(h), right2 = at(2 * h);
  Numbers slopes;
  for (std::size_t i = 0; i < left.size(); ++i)
    slopes.push_back((8 * (right[i] - left[i]) - (right2[i] - left2[i])) / (12 * h));
  return slopes;
}

// Enough elements of a tensor: all, unless there are very many.
std::vector<std::size_t> elements_of(const Tensor& x) {
  const std::size_t step = x.values.size() / 256 + 1;
  std::vector<std::size_t> elements;
  for (std::size_t i = 0; i < x.values.size(); i += step) elements.push_back(i);
  return elements;
}

Numbers pick(const Numbers& values, const std::vector<std::size_t>& elements) {
  Numbers picked;
  for (const std::size_t i : elements) picked.push_back(values.at(i));
  return picked;
}

// d ⟨f, weights⟩ / d x for those elements of x.
Numbers differences(Evaluator<double>& f, const Expr& leaf, const Tensor& x, const Numbers& weights,
                    const std::vector<std::size_t>& elements) {
  Numbers found;
  Tensor moved = x;
  for (const std::size_t i : elements) {
    const double h = std::ldexp(1, std::ilogb(std::max(1.0, std::abs(x.values[i]))) - 10);
    const Numbers slopes = stencil(
        f,
        [&](double s) {
          moved.values[i] = x.values[i] + s;
          f.set(leaf, moved);
        },
        h);
    moved.values[i] = x.values[i];
    double sum = 0;
    for (std::size_t k = 0; k < slopes.size(); ++k) sum += weights.at(k) * slopes[k];
    found.push_back(sum);
  }
  f.set(leaf, x);
  return found;
}

// A value that does not change at all has a derivative of exactly 0.
testing::AssertionResult zeros_agree(const Numbers& actual, const Numbers& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (expected[i] == 0 && actual[i] != 0)
      return testing::AssertionFailure() << "at " << i << ": " << actual[i] << " instead of exactly 0";
  return testing::AssertionSuccess();
}

// `derivatives`, one for each differentiable input, against the differences of ⟨functions, weights⟩.
void expect_derivatives(const Case& c, const Exprs& functions, const Numbers& weights,
                        const Exprs& derivatives, double tolerance) {
  auto f = c.compile(functions);
  const auto actual = c.compile(derivatives).run();
  for (std::size_t k = 0; k < c.wrt.size(); ++k) {
    const std::size_t i = c.wrt[k];
    SCOPED_TRACE(testing::Message() << "input " << i);
    const auto elements = elements_of(c.inputs[i]);
    const Numbers expected = differences(f, c.x[i], c.inputs[i], weights, elements);
    EXPECT_EQ(actual[k].size(), c.inputs[i].values.size());
    EXPECT_TRUE(close(pick(actual[k], elements), expected, tolerance));
    EXPECT_TRUE(zeros_agree(pick(actual[k], elements), expected));
  }
}

class EveryOp : public testing::TestWithParam<OpRow> {};
INSTANTIATE_TEST_SUITE_P(Table, EveryOp, testing::ValuesIn(op_table()), row_name);

TEST_P(EveryOp, ComputesTheReference) {
  for_each_batch(GetParam(), [&](const Case& c) {
    auto f = c.compile({c.output});
    const Tensor expected = GetParam().reference(c.inputs);
    EXPECT_TRUE(close(f.run().front(), expected.values, GetParam().tolerance));
    EXPECT_EQ(f.extents(), expected.extents);
    EXPECT_EQ(c.output.shape().resolve(c.batch), expected.extents);
  });
}

TEST_P(EveryOp, HasFloatNearDouble) {
  for_each_batch(GetParam(), [&](Case&& c) {
    for (Tensor& tensor : c.values)
      for (double& value : tensor.values) value = static_cast<float>(value);
    const Exprs exprs = c.value_and_pulled();
    const auto expected = c.compile<double>(exprs).run();
    const auto actual = c.compile<float>(exprs).run();
    for (std::size_t i = 0; i < exprs.size(); ++i)
      EXPECT_TRUE(close(actual[i], expected[i], GetParam().float_tolerance)) << "result " << i;
  });
}

TEST_P(EveryOp, IsTheSameRawAndOptimised) {
  for_each_batch(GetParam(), [&](const Case& c) {
    const auto raw = c.compile(c.everything(), {.optimize = false}).run();
    const auto optimised = c.compile(c.everything()).run();
    for (std::size_t i = 0; i < raw.size(); ++i)
      EXPECT_TRUE(close(optimised[i], raw[i], 1e-14)) << "result " << i;
  });
}

// Twice in a row, too: nothing is left over from a run.
template <class T> void expect_plans_agree(const Case& c, bool optimize) {
  auto unshared = c.compile<T>(c.everything(), {.optimize = optimize, .reuse = Reuse::none});
  const auto expected = unshared.run();
  for (const Reuse reuse : {Reuse::none, Reuse::full, Reuse::poisoned}) {
    auto shared = c.compile<T>(c.everything(), {.optimize = optimize, .reuse = reuse});
    for (int run = 0; run < 2; ++run) {
      const auto actual = shared.run();
      for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_TRUE(same_bits(actual[i], expected[i]))
            << "result " << i << ", run " << run << ", reuse " << static_cast<int>(reuse) << ", optimize "
            << optimize;
    }
  }
}

TEST_P(EveryOp, IsTheSameHoweverMemoryIsReused) {
  for_each_batch(GetParam(), [&](const Case& c) {
    for (const bool optimize : {false, true}) {
      expect_plans_agree<double>(c, optimize);
      expect_plans_agree<float>(c, optimize);
    }
  });
}

TEST_P(EveryOp, FoldsConstantsToWhatItComputes) {
  for_each_batch(GetParam(), [&](const Case& c) {
    Graph graph;
    Exprs constants;
    for (std::size_t i = 0; i < c.x.size(); ++i) {
      const Shape& shape = c.x[i].shape();
      constants.push_back(shape.is_constant() ? graph.constant(c.inputs[i].extents, c.inputs[i].values)
                                              : graph.full(shape, c.inputs[i].values.front()));
    }
    Exprs exprs = {GetParam().build(graph, constants)};
    const Expr one = graph.full(exprs.front().shape(), 1.0);
    for (const Expr& pulled : vjp(exprs, Exprs{one}, constants)) exprs.push_back(pulled);
    const auto raw = evaluate(exprs, {}, c.batch, {.optimize = false});
    const auto folded = evaluate(exprs, {}, c.batch);
    for (std::size_t i = 0; i < raw.size(); ++i)
      EXPECT_TRUE(close(folded[i], raw[i], 1e-14)) << "result " << i;
    // Gradients of sums of equal numbers may cancel: in float, only the value.
    EXPECT_TRUE(close(evaluate<float>(exprs, {}, c.batch).front(), raw.front(), GetParam().float_tolerance));
  });
}

class FixedInputOp : public EveryOp {};
INSTANTIATE_TEST_SUITE_P(Table, FixedInputOp, testing::ValuesIn(rows_where([](const OpRow& r) {
                           return !std::ranges::all_of(r.inputs, &RowInput::differentiable);
                         })),
                         row_name);

TEST_P(FixedInputOp, HasZeroGradients) {
  for_each_batch(GetParam(), [&](const Case& c) {
    const auto pulled = c.compile(c.pulled).run();
    for (std::size_t i = 0; i < pulled.size(); ++i) {
      if (GetParam().inputs[i].differentiable) continue;
      EXPECT_EQ(pulled[i], Numbers(c.inputs[i].values.size(), 0.0)) << "input " << i;
    }
  });
}

class DifferentiableOp : public EveryOp {};
INSTANTIATE_TEST_SUITE_P(Table, DifferentiableOp,
                         testing::ValuesIn(rows_where([](const OpRow& r) { return r.differentiable(); })),
                         row_name);

TEST_P(DifferentiableOp, PullsBackLikeDifferences) {
  for_each_batch(GetParam(), [&](const Case& c) {
    expect_derivatives(c, {c.output}, c.cotangent.values, c.gradients, GetParam().gradient_tolerance);
  });
}

TEST_P(DifferentiableOp, PushesForwardLikeDifferences) {
  for_each_batch(GetParam(), [&](const Case& c) {
    auto f = c.compile({c.output});
    const auto move = [&](double s) {
      for (std::size_t k = 0; k < c.wrt.size(); ++k) {
        Tensor moved = c.inputs[c.wrt[k]];
        for (std::size_t i = 0; i < moved.values.size(); ++i) moved.values[i] += s * c.tangents[k].values[i];
        f.set(c.x[c.wrt[k]], moved);
      }
    };
    const Numbers expected = stencil(f, move, 0x1p-11);
    const Numbers actual = c.compile({c.pushed}).run().front();
    EXPECT_TRUE(close(actual, expected, GetParam().gradient_tolerance));
    EXPECT_TRUE(zeros_agree(actual, expected));
  });
}

class TwiceDifferentiableOp : public EveryOp {};
INSTANTIATE_TEST_SUITE_P(Table, TwiceDifferentiableOp, testing::ValuesIn(rows_where([](const OpRow& r) {
                           return r.differentiable() && r.twice;
                         })),
                         row_name);

TEST_P(TwiceDifferentiableOp, DifferentiatesItsGradientLikeDifferences) {
  for_each_batch(GetParam(), [&](const Case& c) {
    expect_derivatives(c, c.gradients, flat(c.weights), c.second, GetParam().second_tolerance);
  });
}

// The names of the ops that a file defines: each type that is final defines one, or two if it is a template
// for a bool.
std::set<std::string> names_in(const std::filesystem::path& source) {
  std::set<std::string> names;
  std::size_t types = 0;
  std::ifstream file(source);
  for (std::string line; std::getline(file, line);) {
    if (line.find(" final : ") != line.npos) types += line.starts_with("template <bool ") ? 2 : 1;
    const auto at = line.find("std::string_view name = ");
    if (at == line.npos) continue;
    std::istringstream definition(line.substr(at, line.find_first_of(",;", at) - at));
    for (std::string text; std::getline(definition, text, '"') && std::getline(definition, text, '"');)
      names.insert(text);
  }
  EXPECT_EQ(names.size(), types) << source << ": a type without a name that this test finds";
  return names;
}

std::set<std::string> names_of_ops() {
  const std::filesystem::path source = GRADUS_SOURCE_DIR;
  std::set<std::string> names = names_in(source / "framework/autodiff/add.hpp");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(source / "ops"))
    if (entry.path().extension() == ".hpp" || entry.path().extension() == ".cpp")
      names.merge(names_in(entry.path()));
  return names;
}

TEST(OpTable, HasARowForEveryOp) {
  const std::set<std::string> ops = names_of_ops();
  EXPECT_GE(ops.size(), 38U);
  std::set<std::string> covered;
  for (const OpRow& row : op_table()) {
    if (row.composed) continue;
    EXPECT_TRUE(ops.contains(row.op)) << row.name() << ": no header defines the op";
    const Case c(row, 3);
    bool found = false;
    for (NodeId id = 0; id <= c.output.id(); ++id) found = found || c.graph[id].name() == row.op;
    EXPECT_TRUE(found) << row.name() << ": what it builds does not contain the op";
    covered.insert(row.op);
  }
  for (const std::string& op : ops)
    EXPECT_TRUE(covered.contains(op)) << op << " lacks a row in op_table*.cpp";
}

TEST(OpTable, HasOneRowOfEachName) {
  std::map<std::string, int> rows;
  for (const OpRow& row : op_table()) EXPECT_EQ(++rows[row.name()], 1) << row.name();
}

TEST(OpTable, KeepsAwayFromKinks) {
  for (const OpRow& row : op_table()) {
    const Tensors inputs = sample(row, 17);
    Numbers apart;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Domain& domain = row.inputs[i].domain;
      for (const double x : inputs[i].values)
        for (const double kink : domain.kinks) EXPECT_GE(std::abs(x - kink), Domain::margin) << row.name();
      if (domain.apart) apart.insert(apart.end(), inputs[i].values.begin(), inputs[i].values.end());
    }
    std::ranges::sort(apart);
    for (std::size_t i = 1; i < apart.size(); ++i)
      EXPECT_GE(apart[i] - apart[i - 1], Domain::margin * 0.99) << row.name();
  }
}

}  // namespace
}  // namespace gradus::test
