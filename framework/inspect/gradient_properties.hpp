#pragma once

#include <span>
#include <string>
#include <vector>

#include "gradus/framework/inspect/gradient_check.hpp"

/// The parts of the gradient check; users want gradient_check.hpp.
namespace gradus {

/// Outputs and their gradients at a point, compiled: values can be moved and outputs read, cotangents given
/// and gradients read. The executables are changed by calls that do not change what the system is, hence
/// const.
class GradientSystem {
 public:
  /// Error when a `wrt` is not a named leaf, or the point lacks values for one.
  GradientSystem(std::vector<Expr> outputs, std::vector<Expr> wrt, const Point& point, std::int64_t batch,
                 const CompileOptions& options = {});

  std::vector<std::string> names;  ///< of the leaves
  std::vector<Extents> extents;    ///< of the leaves
  Point point;

  /// Elements of all outputs together.
  std::size_t output_count() const { return output_count_; }
  /// Moves one leaf, for `push` only.
  void put(std::size_t leaf, const std::vector<double>& values) const;
  /// The outputs' elements, one output after the other.
  void push(std::span<double> outputs) const;
  /// The gradients at the point, by leaf, for a cotangent of all outputs' elements.
  std::vector<std::vector<double>> pull(const std::vector<double>& cotangent) const;

 private:
  std::vector<Expr> cotangents_;
  std::size_t output_count_ = 0;
  mutable Store<double> forward_store_;
  mutable Store<double> backward_store_;
  mutable Executable<double> forward_;
  mutable Executable<double> backward_;
};

/// The named leaves through which a gradient can flow into `expr`.
std::vector<Expr> gradient_leaves(const Expr& expr);

/// An input of `like`'s shape that stands for a cotangent. It takes no part in the graph's names.
Expr cotangent_input(const Expr& like, const std::string& name);

/// Standard normal numbers for an expression's elements; 1 for a scalar.
std::vector<double> random_cotangent(const Expr& like, std::int64_t batch, std::uint64_t seed);

/// What must hold beside the differences.
std::vector<CheckedProperty> check_properties(const Expr& expr, std::span<const Expr> wrt, const Point& point,
                                              std::int64_t batch, const GradientCheckOptions& options);

}  // namespace gradus
