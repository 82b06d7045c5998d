#include "gradus/graph/op.hpp"

namespace gradus {

double evaluate(const Op& op, std::span<const double> inputs) {
  std::vector<const double*> places;
  for (const double& input : inputs) places.push_back(&input);
  const Op* const ops = &op;
  double result = 0;
  double* const output = &result;
  op.block(double{}, 0)(&ops, places.data(), &output, 1);
  return result;
}

}  // namespace gradus
