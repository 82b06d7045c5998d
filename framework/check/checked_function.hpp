#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "gradus/graph/shape.hpp"

/// A part of the gradient check; users want gradient_check.hpp.
namespace GRADUS_PUBLIC gradus {

/// A function of some tensors at a point, and what is said to be its gradient there.
class CheckedFunction {
 public:
  virtual ~CheckedFunction() = default;

  std::vector<std::string> names;  ///< of the tensors
  std::vector<Extents> extents;    ///< of the tensors

  /// A tensor's values at the point.
  virtual const std::vector<double>& values(std::size_t tensor) const = 0;
  /// Elements of all outputs together.
  virtual std::size_t output_count() const = 0;
  /// Moves one tensor, for `push` only.
  virtual void put(std::size_t tensor, const std::vector<double>& values) const = 0;
  /// The outputs' elements, one output after the other.
  virtual void push(std::span<double> outputs) const = 0;
  /// The gradients at the point, by tensor, for a cotangent of all outputs' elements.
  virtual std::vector<std::vector<double>> pull(const std::vector<double>& cotangent) const = 0;
  /// How far the outputs' elements may be off because values are rounded on the way.
  virtual const std::vector<double>& output_rounding() const = 0;
  /// How far those gradients may be.
  virtual std::vector<std::vector<double>> gradient_rounding(const std::vector<double>& cotangent) const = 0;
  /// Roughly how long it takes to move a tensor and push, from sizes alone.
  virtual double estimated_nanoseconds() const = 0;

  /// Elements of all tensors together.
  std::size_t entry_count() const;

 protected:
  /// For the classes that derive from it.
  CheckedFunction() = default;
  CheckedFunction(const CheckedFunction&) = default;
  CheckedFunction(CheckedFunction&&) = default;
  CheckedFunction& operator=(const CheckedFunction&) = default;
  CheckedFunction& operator=(CheckedFunction&&) = default;
};

}  // namespace gradus
