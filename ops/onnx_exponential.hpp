#pragma once

#include "gradus/graph/onnx_spelling.hpp"

namespace gradus {

/// Appends log(1 + x), which ONNX lacks: log(u) · x / (u − 1) for u = 1 + x as it is rounded (Kahan), where
/// the errors of both factors cancel; x itself where u is 1.
inline void append_log1p(OnnxSpelling& steps, const OnnxOperand& x) {
  const std::size_t at = steps.size();
  const auto step = [at](std::size_t i) { return OnnxResult{at + i}; };
  steps.insert(steps.end(), {{"Add", {x, 1.0}},
                             {"Log", {step(0)}},
                             {"Sub", {step(0), 1.0}},
                             {"Div", {x, step(2)}},
                             {"Equal", {step(2), x}},  // ∞, too
                             {"Where", {step(4), 1.0, step(3)}},
                             {"Mul", {step(1), step(5)}},
                             {"Equal", {step(0), 1.0}},
                             {"Where", {step(7), x, step(6)}}});
}

/// log(1 + e^−|x|) of the op's first operand.
inline OnnxSpelling log1p_of_exp_in_onnx() {
  OnnxSpelling steps = {{"Abs", {OnnxInput{0}}}, {"Neg", {OnnxResult{0}}}, {"Exp", {OnnxResult{1}}}};
  append_log1p(steps, OnnxResult{2});
  return steps;
}

/// eˣ − 1 of the op's first operand, which ONNX lacks: (u − 1) · x / log u for u = eˣ as it is rounded
/// (Kahan), between the sizes where u − 1 is right as it is and where u is 1.
inline OnnxSpelling expm1_in_onnx() {
  return {{"Exp", {OnnxInput{0}}},
          {"Sub", {OnnxResult{0}, 1.0}},
          {"Log", {OnnxResult{0}}},
          {"Div", {OnnxInput{0}, OnnxResult{2}}},
          {"Mul", {OnnxResult{1}, OnnxResult{3}}},
          {"Equal", {OnnxResult{0}, 1.0}},
          {"Where", {OnnxResult{5}, OnnxInput{0}, OnnxResult{4}}},
          {"Abs", {OnnxInput{0}}},
          {"Less", {OnnxResult{7}, 1.0}},
          {"Where", {OnnxResult{8}, OnnxResult{6}, OnnxResult{1}}}};
}

}  // namespace gradus
