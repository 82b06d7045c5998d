#pragma once

#include <cstddef>
#include <cstdint>
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

/// An operand of an ONNX operator: one of the op's own operands, an earlier result, a number (a scalar of the
/// graph's element type), numbers (a vector of it), or a shape (a vector of 64-bit integers, which may hold
/// the batch).
using OnnxOperand = std::variant<OnnxInput, OnnxResult, double, std::vector<double>, Shape>;

/// The target of a Cast: the graph's element type, float or double, or bool.
enum class OnnxType { element, boolean };

/// An attribute's value.
using OnnxValue = std::variant<std::int64_t, std::vector<std::int64_t>, OnnxType>;

/// An attribute of an ONNX operator: its name and value.
using OnnxAttribute = std::pair<std::string_view, OnnxValue>;

/// One ONNX operator.
struct OnnxStep {
  std::string_view op;                         ///< its name in ONNX
  std::vector<OnnxOperand> operands = {};      ///< what it reads
  std::vector<OnnxAttribute> attributes = {};  ///< by name
};

/// Operators one after the other, of which the last gives the op's value. Those of an elementwise op must
/// broadcast. Empty: the op cannot be said.
using OnnxSpelling = std::vector<OnnxStep>;

}  // namespace gradus
