#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gradus/graph/shape.hpp"

/// How an op is said in ONNX (opset 17): data, which the exporter gradus/onnx/export.hpp reads. Nothing here
/// needs ONNX.
namespace GRADUS_PUBLIC gradus {

/// The op's own operand.
struct OnnxInput {
  std::size_t index = 0;  ///< which
};

/// The result of an earlier step of the same spelling.
struct OnnxResult {
  std::size_t step = 0;  ///< which
};

/// An operand of an ONNX operator. A number is a scalar, and numbers are a vector, of the graph's element
/// type; a shape is a vector of 64-bit integers, which may hold the batch. (What copies and destroys it is
/// compiled once, in the library: every file that includes an op would pay for it.)
struct OnnxOperand {
  /// One of them.
  using Value = std::variant<OnnxInput, OnnxResult, double, std::vector<double>, Shape>;
  OnnxOperand(OnnxInput input);              ///< one of the op's own operands
  OnnxOperand(OnnxResult result);            ///< an earlier result
  OnnxOperand(double number);                ///< a scalar
  OnnxOperand(std::vector<double> numbers);  ///< a vector
  OnnxOperand(Shape shape);                  ///< a vector of 64-bit integers

  /// They are values.
  OnnxOperand(const OnnxOperand& other);
  OnnxOperand(OnnxOperand&& other) noexcept;
  OnnxOperand& operator=(const OnnxOperand& other);
  OnnxOperand& operator=(OnnxOperand&& other) noexcept;
  ~OnnxOperand();

  Value value;  ///< which, and what
};

/// The target of a Cast: the graph's element type, float or double, or bool.
enum class OnnxType { element, boolean };

/// An attribute's value.
using OnnxValue = std::variant<std::int64_t, std::vector<std::int64_t>, OnnxType>;

/// An attribute of an ONNX operator: its name and value.
using OnnxAttribute = std::pair<std::string_view, OnnxValue>;

/// One ONNX operator: its name, what it reads, its attributes.
struct OnnxStep {
  /// Sets the members, in their order.
  OnnxStep(std::string_view name, std::initializer_list<OnnxOperand> reads,
           std::initializer_list<OnnxAttribute> with = {});

  /// They are values.
  OnnxStep(const OnnxStep& other);
  OnnxStep(OnnxStep&& other) noexcept;
  OnnxStep& operator=(const OnnxStep& other);
  OnnxStep& operator=(OnnxStep&& other) noexcept;
  ~OnnxStep();

  std::string_view op;                    ///< its name in ONNX
  std::vector<OnnxOperand> operands;      ///< what it reads
  std::vector<OnnxAttribute> attributes;  ///< by name
};

/// Operators one after the other, of which the last gives the op's value. Those of an elementwise op must
/// broadcast. Empty: the op cannot be said.
using OnnxSpelling = std::vector<OnnxStep>;

}  // namespace gradus
