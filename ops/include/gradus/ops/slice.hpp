#pragma once

#include <vector>

#include "gradus/base/error.hpp"
#include "gradus/graph/op_of.hpp"
#include "gradus/ops/build.hpp"
#include "gradus/ops/strides.hpp"

namespace GRADUS_PUBLIC gradus {

/// What Slice and Embed share: a box inside a tensor, from `starts`.
struct Box {
  static void check(const Shape& inner, const std::vector<Dim>& starts, const Shape& outer);
  static std::int64_t offset(const std::vector<Dim>& starts, const Extents& outer, std::int64_t batch);
};

/// The box of extents `shape` that begins at `starts`. Both may hold the batch.
class Slice final : public OpOf<Slice> {
 public:
  static constexpr std::string_view name = "slice";
  Slice(std::vector<Dim> from, Shape extents) : starts(std::move(from)), shape(std::move(extents)) {}
  auto attributes() const { return std::tuple(attribute("starts", starts), attribute("shape", shape)); }
  OnnxSpelling onnx(InputShapes) const {
    std::vector<Dim> ends;
    for (std::size_t i = 0; i < starts.size(); ++i) ends.push_back(starts[i] + shape[i]);
    return {{"Slice", {OnnxInput{0}, Shape(starts), Shape(ends)}}};
  }
  Shape infer(InputShapes inputs) const override {
    Box::check(shape, starts, inputs[0]);
    return shape;
  }
  std::vector<Expr> vjp(const Vjp& v) const override;

  template <class T>
  Kernel<T> make_kernel(const Signature& signature) const {
    const StridedWalk walk(signature.output, row_major_strides(signature.inputs[0]),
                           row_major_strides(signature.output));
    const auto offset = Box::offset(starts, signature.inputs[0], signature.batch);
    return [walk, offset](const T* const* in, T* out) { strided_copy(walk, in[0] + offset, out); };
  }

  std::vector<Dim> starts;
  Shape shape;
};

/// The adjoint of Slice: x at `starts` in a tensor of `shape` that is zero elsewhere.
class Embed final : public OpOf<Embed> {
 public:
  static constexpr std::string_view name = "embed";
  Embed(std::vector<Dim> at, Shape extents) : starts(std::move(at)), shape(std::move(extents)) {}
  auto attributes() const { return std::tuple(attribute("starts", starts), attribute("shape", shape)); }
  OnnxSpelling onnx(InputShapes inputs) const {
    std::vector<Dim> around = starts;
    for (std::size_t i = 0; i < starts.size(); ++i) around.push_back(shape[i] - starts[i] - inputs[0][i]);
    return {{"Pad", {OnnxInput{0}, Shape(around)}}};
  }
  Shape infer(InputShapes inputs) const override {
    Box::check(inputs[0], starts, shape);
    return shape;
  }
  std::vector<Expr> vjp(const Vjp& v) const override {
    return {builtin<Slice>({v.cotangent}, starts, v.inputs[0].shape())};
  }

  template <class T>
  Kernel<T> make_kernel(const Signature& signature) const {
    const StridedWalk walk(signature.inputs[0], row_major_strides(signature.inputs[0]),
                           row_major_strides(signature.output));
    const auto offset = Box::offset(starts, signature.output, signature.batch);
    const auto count = static_cast<std::size_t>(element_count(signature.output));
    return [walk, offset, count](const T* const* in, T* out) {
      std::fill_n(out, count, T(0));
      strided_copy(walk, in[0], out + offset);
    };
  }

  std::vector<Dim> starts;
  Shape shape;
};

/// Tensors of one shape but for `axis`, one after the other along it.
class Concat final : public OpOf<Concat> {
 public:
  static constexpr std::string_view name = "concat";
  explicit Concat(std::int64_t along) : axis(along) {}
  auto attributes() const { return std::tuple(attribute("axis", axis)); }
  OnnxSpelling onnx(InputShapes inputs) const {
    OnnxStep step("Concat", {}, {{"axis", axis}});
    for (std::size_t i = 0; i < inputs.size(); ++i) step.operands.emplace_back(OnnxInput{i});
    return {step};
  }
  Shape infer(InputShapes inputs) const override;
  std::vector<Expr> vjp(const Vjp& v) const override;

  template <class T>
  Kernel<T> make_kernel(const Signature& signature) const {
    const Extents strides = row_major_strides(signature.output);
    std::vector<StridedWalk> walks;
    std::vector<std::int64_t> offsets;
    std::int64_t offset = 0;
    for (const Extents& part : signature.inputs) {
      walks.emplace_back(part, row_major_strides(part), strides);
      offsets.push_back(offset);
      offset += part[static_cast<std::size_t>(axis)] * strides[static_cast<std::size_t>(axis)];
    }
    return [walks, offsets](const T* const* in, T* out) {
      for (std::size_t i = 0; i < walks.size(); ++i) strided_copy(walks[i], in[i], out + offsets[i]);
    };
  }

  std::int64_t axis;
};

/// x[begin:end] along one axis; both may hold the batch, as in slice(x, 0, 0, B - 1). Error when the part
/// does not lie within x for every batch of at least 1.
Expr slice(Arg x, std::int64_t axis, Dim begin, Dim end);

/// Joins tensors along an axis: a [1, 4] row on a [B, 4] batch gives [B+1, 4]. Error when they differ
/// elsewhere.
Expr concat(const std::vector<Arg>& parts, std::int64_t axis);

}  // namespace gradus
