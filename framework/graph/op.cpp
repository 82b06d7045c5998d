#include "gradus/graph/op.hpp"

#include <fmt/format.h>

#include "gradus/graph/op_of.hpp"

namespace gradus {

double evaluate(const ElementwiseOp& op, std::span<const double> inputs) {
  std::vector<const double*> pointers;
  for (const double& input : inputs) pointers.push_back(&input);
  double result = 0;
  double* const output = &result;
  std::get<Block<double>>(op.block(DType::float64, 0))(&op, pointers.data(), &output, 1);
  return result;
}

namespace detail {
std::string text_of(double v) { return fmt::format("{}", v); }
std::string text_of(std::int64_t v) { return fmt::format("{}", v); }
std::string text_of(bool v) { return v ? "true" : "false"; }
}  // namespace detail

}  // namespace gradus
