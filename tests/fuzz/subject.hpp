#pragma once

#include <string>
#include <vector>

#include "checks.hpp"
#include "framework/compile/extract.hpp"
#include "gradus/base/random.hpp"
#include "gradus/runtime/executable.hpp"

/// Shared by the checks.
namespace gradus::fuzz {

using Values = std::vector<double>;

/// Raw and optimised programs do the same in another order at most.
inline constexpr double rounding = 1e-10;
/// A value that rounding alone moves by more than this proves nothing.
inline constexpr double unstable = 1e-11;

/// Rounding in double; and in float, two units in the last place.
inline constexpr Noise in_double{.size = 0x1p-51};
inline constexpr Noise in_float{.size = 0x1p-22, .to_float = true};

/// The largest difference over the largest entry; infinite for what is not finite.
double relative_difference(const Values& a, const Values& b);
bool same_bits(const Values& a, const Values& b);

/// For each output of a program, how far rounding of that size moves it, over its largest entry.
std::vector<double> sensitivity(const Program& program, const Point& point, std::int64_t batch, Noise noise);

/// A graph's outputs and their derivatives, with random directions.
class Subject {
 public:
  explicit Subject(const Recipe& recipe);

  /// The values of all expressions.
  template <class T> std::vector<Values> run(CompileOptions options) const {
    Store<T> store;
    options.verify = true;
    auto program = compile<T>(std::span<const Expr>(exprs), {}, batch, store, options);
    for (const auto& [name, values] : point) {
      const std::vector<T> converted(values.begin(), values.end());
      if (program.has_input(name)) program.feed(name, converted);
      if (store.contains(name)) store.set(name, values);
    }
    program.run();
    std::vector<Values> all;
    for (std::size_t i = 0; i < exprs.size(); ++i) {
      const auto values = program.output(i).values;
      all.emplace_back(values.begin(), values.end());
    }
    return all;
  }

  std::string describe(std::size_t expr) const;
  /// Names the first node that is not finite.
  std::string trace() const;

  Built built;
  Point point;
  std::int64_t batch;
  std::vector<Expr> leaves;        ///< those that can be moved
  std::vector<std::size_t> steps;  ///< of the leaves
  std::vector<Expr> cotangents;    ///< of the outputs
  std::vector<Expr> exprs;         ///< outputs, gradients of leaves, tangents of outputs
  Program live;                    ///< what they need
  std::vector<Values> exact;       ///< their values, node by node

 private:
  std::vector<Expr> directions(const std::string& prefix, const std::vector<Expr>& like);

  Random random_;
};

std::optional<Failure> check_gradients(const Subject& subject, const CheckOptions& options, Tally& tally);

}  // namespace gradus::fuzz
