// A number, nothing or a node of another graph in the place of each operand of each op: the op takes it, or
// the error says op and line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

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

}  // namespace
}  // namespace gradus
