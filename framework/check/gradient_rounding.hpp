#pragma once

#include <string>
#include <vector>

#include "gradus/inspect/node_values.hpp"

/// A part of the gradient check; users want gradient_check.hpp.
namespace GRADUS_PUBLIC gradus {

/// How far an expression is off because every node's value is rounded: tanh(20) is 1 to the last digit but
/// three, and 1 - tanh(20)² has no more than one that is right. Measured: the graph is evaluated as written
/// with each value moved at random by up to a unit in its last place (Parker, "Monte Carlo arithmetic",
/// 1997). What an op merely picks out of its operands, as max does, is not rounded, and stays: else a reverse
/// rule that asks which operand it was would find none.
class Rounding {
 public:
  /// `seed` of the random moves.
  Rounding(const std::vector<Expr>& exprs, const Point& point, std::int64_t batch, std::uint64_t seed);

  /// By expression and element, with `inputs` put in beside the point: the largest change that was seen. Zero
  /// where the moved values are such as an op refuses.
  std::vector<std::vector<double>> at(const Point& inputs);

 private:
  std::vector<std::vector<double>> values();
  void move(const std::vector<std::vector<double>>& exact, std::uint64_t trial);
  bool picks(std::size_t move) const;

  std::uint64_t seed_;
  std::vector<std::string> moves_;                  // by node that is moved: the input that is added to it
  std::vector<std::vector<std::size_t>> operands_;  // of that node, by output of the program
  std::vector<bool> picked_;  // by node that is moved: is it picked out of its operands?
  std::size_t count_ = 0;     // of the expressions, which come first among the outputs
  Store<double> store_;
  Executable<double> program_;
};

}  // namespace gradus
