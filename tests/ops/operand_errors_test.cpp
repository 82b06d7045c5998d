// A number, nothing or a node of another graph in the place of each operand of each op: the op takes it, or
// the error says op and line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "gradus/gradus.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/op_table.hpp"

namespace gradus {
namespace {

class OperandErrors : public testing::TestWithParam<test::OpRow> {};
INSTANTIATE_TEST_SUITE_P(All, OperandErrors, testing::ValuesIn(test::op_table()), test::row_name);

TEST_P(OperandErrors, SayOpAndLine) {
  const test::OpRow& op = GetParam();
  for (std::size_t wrong = 0; wrong < op.inputs.size(); ++wrong) {
    Graph stranger;
    const Expr foreign = stranger.input("foreign", op.inputs[wrong].shape);
    for (const Expr& operand : {Expr(2), Expr(), foreign}) {
      Graph g;
      test::Exprs x;
      for (std::size_t i = 0; i < op.inputs.size(); ++i)
        x.push_back(g.input("x" + std::to_string(i), op.inputs[i].shape));
      x[wrong] = operand;
      const std::string message = test::error_of([&] { op.build(g, x); });
      // A number may be one of several operands, and the only operand may be of any graph.
      const bool is_taken = operand.is_literal() || (operand.is_node() && op.inputs.size() == 1);
      if (is_taken && message == "no error") continue;
      EXPECT_THAT(message, testing::MatchesRegex("[A-Za-z_0-9]+ at op_table[a-z_]*\\.[ch]pp:[0-9]+: .+"))
          << "operand " << wrong << ": "
          << (operand.is_literal() ? "a number"
              : operand.is_null()  ? "nothing"
                                   : "of another graph");
    }
  }
}

// Every reduction over all axes and over some.
struct ReductionMistakes {
  const char* op;
  Expr (*over_all)(Arg);
  Expr (*over_some)(Arg, const Axes&, bool);
};
const ReductionMistakes reductions[] = {{"sum", sum, sum}, {"mean", mean, mean}, {"max", max, max},
                                        {"min", min, min}, {"prod", prod, prod}, {"norm", norm, norm}};

TEST(ReductionErrors, AreOfOneKind) {
  Graph g;
  const Expr v = g.input("v", {6}), w = g.input("w", {3, 5});
  for (const ReductionMistakes& each : reductions) {
    const auto over_all = each.over_all;
    const auto over_some = each.over_some;
    const std::string begin = std::string(each.op) + " at HERE:";
    for (const Expr& operand : {Expr(), Expr(2.5)}) {
      for (const std::string& message : {test::error_of([&] { over_all(operand); }),
                                         test::error_of([&] { over_some(operand, {}, false); }),
                                         test::error_of([&] { over_some(operand, {0}, false); })}) {
        EXPECT_THAT(message, testing::StartsWith(begin));
        test::expect_parts(message, {operand.is_null() ? "nothing" : "2.5", "must be a node"});
      }
    }
    test::expect_parts(test::error_of([&] { over_some(v, {1}, false); }), {begin, "v [6]", "no axis 1"});
    test::expect_parts(test::error_of([&] { over_some(w, {1, -1}, true); }), {begin, "w [3, 5]", "twice"});
  }
}

}  // namespace
}  // namespace gradus
