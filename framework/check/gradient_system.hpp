#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "framework/check/gradient_rounding.hpp"

namespace GRADUS_PUBLIC gradus {

/// Outputs and their gradients at a point, compiled: values can be moved and outputs read, cotangents given
/// and gradients read. The executables are changed by calls that do not change what the system is, hence
/// const.
class GradientSystem {
 public:
  /// Error when a `wrt` is not a named leaf, or the point lacks values for one.
  GradientSystem(std::vector<Expr> outputs, std::vector<Expr> wrt, Point at, std::int64_t batch,
                 const CompileOptions& options = {});

  std::vector<std::string> names;  ///< of the leaves
  std::vector<Extents> extents;    ///< of the leaves
  Point point;                     ///< values of all leaves

  /// Elements of all outputs together.
  std::size_t output_count() const { return output_count_; }
  /// Moves one leaf, for `push` only.
  void put(std::size_t leaf, const std::vector<double>& values) const;
  /// The outputs' elements, one output after the other.
  void push(std::span<double> outputs) const;
  /// The gradients at the point, by leaf, for a cotangent of all outputs' elements.
  std::vector<std::vector<double>> pull(const std::vector<double>& cotangent) const;
  /// How far the outputs' elements may be off because values are rounded on the way.
  const std::vector<double>& output_rounding() const;
  /// How far those gradients may be.
  std::vector<std::vector<double>> gradient_rounding(const std::vector<double>& cotangent) const;

 private:
  Point by_output(const std::vector<double>& cotangent) const;

  std::vector<Expr> outputs_;
  std::vector<Expr> cotangents_;
  std::vector<Expr> gradients_;
  std::size_t output_count_ = 0;
  mutable Store<double> forward_store_;
  mutable Store<double> backward_store_;
  mutable Executable<double> forward_;
  mutable Executable<double> backward_;
  // Made when they are needed.
  mutable std::vector<double> output_rounding_;
  mutable std::optional<Rounding> gradient_rounding_;
};

/// The named leaves through which a gradient can flow into `expr`.
std::vector<Expr> gradient_leaves(const Expr& expr);

/// An input of `like`'s shape that stands for a cotangent. It takes no part in the graph's names.
Expr cotangent_input(const Expr& like, const std::string& name);

/// Standard normal numbers for an expression's elements; 1 for a scalar.
std::vector<double> random_cotangent(const Expr& like, std::int64_t batch, std::uint64_t seed);

/// The gradients of `expr`, as nodes, for a random cotangent, whose value is added to the point.
std::vector<Expr> pulled_back(const Expr& expr, std::span<const Expr> wrt, std::int64_t batch,
                              std::uint64_t seed, Point& at);

/// By how much a tensor's gradient may be off when values of this size were rounded on the way: it may be 0
/// by cancellation alone.
double gradient_rounding(double largest_value, const std::vector<double>& tensor);

}  // namespace gradus
