#include "gradus/graph/onnx_spelling.hpp"

namespace gradus {

OnnxOperand::OnnxOperand(OnnxInput input) : value(input) {}
OnnxOperand::OnnxOperand(OnnxResult result) : value(result) {}
OnnxOperand::OnnxOperand(double number) : value(number) {}
OnnxOperand::OnnxOperand(std::vector<double> numbers) : value(std::move(numbers)) {}
OnnxOperand::OnnxOperand(Shape shape) : value(std::move(shape)) {}
OnnxOperand::OnnxOperand(const OnnxOperand& other) = default;
OnnxOperand::OnnxOperand(OnnxOperand&& other) noexcept = default;
OnnxOperand& OnnxOperand::operator=(const OnnxOperand& other) = default;
OnnxOperand& OnnxOperand::operator=(OnnxOperand&& other) noexcept = default;
OnnxOperand::~OnnxOperand() = default;

OnnxStep::OnnxStep(std::string_view name, std::initializer_list<OnnxOperand> reads,
                   std::initializer_list<OnnxAttribute> with)
    : op(name), operands(reads), attributes(with) {}
OnnxStep::OnnxStep(const OnnxStep& other) = default;
OnnxStep::OnnxStep(OnnxStep&& other) noexcept = default;
OnnxStep& OnnxStep::operator=(const OnnxStep& other) = default;
OnnxStep& OnnxStep::operator=(OnnxStep&& other) noexcept = default;
OnnxStep::~OnnxStep() = default;

}  // namespace gradus
