#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "framework/check/checked_function.hpp"
#include "framework/check/gradient_rounding.hpp"

namespace GRADUS_PUBLIC gradus {

/// Outputs and their gradients at a point, compiled: values can be moved and outputs read, cotangents given
/// and gradients read. The executables are changed by calls that do not change what the system is, hence
/// const.
class GradientSystem final : public CheckedFunction {
 public:
  /// Error when a `wrt` is not a named leaf, or the point lacks values for one.
  GradientSystem(std::vector<Expr> outputs, std::vector<Expr> wrt, Point at, std::int64_t batch,
                 const CompileOptions& options = {});

  Point point;  ///< values of all leaves

  const std::vector<double>& values(std::size_t leaf) const override {
    return point.find(names[leaf])->second;
  }
  std::size_t output_count() const override { return output_count_; }
  void put(std::size_t leaf, const std::vector<double>& values) const override;
  void push(std::span<double> outputs) const override;
  std::vector<std::vector<double>> pull(const std::vector<double>& cotangent) const override;
  const std::vector<double>& output_rounding() const override;
  std::vector<std::vector<double>> gradient_rounding(const std::vector<double>& cotangent) const override;
  double estimated_nanoseconds() const override;

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

/// The root of the mean square.
double usual_size(const std::vector<double>& tensor);

/// By how much a tensor's gradient may be off when values of this size were rounded on the way: it may be 0
/// by cancellation alone.
double gradient_rounding(double largest_value, const std::vector<double>& tensor);

}  // namespace gradus
