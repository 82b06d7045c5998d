#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gradus/base/dtype.hpp"
#include "gradus/graph/expr.hpp"
#include "gradus/graph/onnx_spelling.hpp"
#include "gradus/graph/shape.hpp"

namespace GRADUS_PUBLIC gradus {

/// The properties of an op that the compiler may know. Passes read these, never a name or a type.
struct Traits {
  std::size_t outputs = 1;   ///< how many tensors it computes
  bool broadcast = false;    ///< the output repeats the input along axes of extent 1 or missing in front
  bool view = false;         ///< the same values in the same order: shares its input's buffer, has no kernel
  bool commutative = false;  ///< two inputs, either order
  bool involution = false;   ///< f(f(x)) = x
  bool reduction = false;    ///< of one input; a reduction of a single element is that element
  bool by_rows = false;      ///< its kernel can compute any range of rows of the output's first axis
  bool impure = false;       ///< two equal nodes may differ in value: never merged, never folded
  std::optional<double> left_identity = std::nullopt;   ///< f(e, x) = x
  std::optional<double> right_identity = std::nullopt;  ///< f(x, e) = x
};

/// The shapes of an op's inputs, in order. The shapes must outlive it.
class InputShapes {
 public:
  /// Refers to these shapes.
  explicit InputShapes(std::span<const Shape* const> shapes) : shapes_(shapes) {}
  /// How many inputs there are.
  std::size_t size() const { return shapes_.size(); }
  /// The shape of input i.
  const Shape& operator[](std::size_t i) const { return *shapes_[i]; }

 private:
  std::span<const Shape* const> shapes_;
};

/// The sizes for which a kernel is made.
struct KernelShapes {
  std::vector<Extents> inputs;   ///< of the inputs
  std::vector<Extents> outputs;  ///< of the outputs
  DimBindings dims;              ///< what symbols stand for, for attributes that hold them
  bool in_parts = false;         ///< the kernel will be asked for ranges of rows (trait `by_rows`)
  bool reproducible = false;     ///< the bits may depend on the shapes alone, not on the machine

  /// The sizes of the first output, for most ops the only one.
  const Extents& output() const { return outputs.front(); }
};

/// The tensors that a kernel works on; all are row-major and contiguous.
template <class T> struct KernelArgs {
  const T* const* inputs = nullptr;  ///< one pointer for each input
  T* const* outputs = nullptr;       ///< one for each output; where rows are asked for, to the first of them
  std::byte* workspace = nullptr;    ///< as many bytes as the op asked for, aligned to 64
  std::int64_t from = 0;             ///< the first row, where `KernelShapes::in_parts`
  std::int64_t to = 0;               ///< the row after the last one

  /// An input or output by its number.
  const T* input(std::size_t i = 0) const { return inputs[i]; }
  T* output(std::size_t i = 0) const { return outputs[i]; }
};

/// A compiled op. It must not allocate. It may throw Error for values that it cannot take; the executable
/// adds the op's name and the user's line.
template <class T> using Kernel = std::function<void(const KernelArgs<T>& args)>;
/// A kernel for the element type that was asked for.
using AnyKernel = std::variant<Kernel<float>, Kernel<double>>;

/// The loop of an elementwise op over `n` elements. An output may be one of the inputs: all operands of an
/// element are read before any of its results is written. Of an input that is taken as a scalar, only the
/// first element is read.
template <class T>
using Block = void (*)(const class Op* op, const T* const* inputs, T* const* outputs, std::size_t n);
/// A block for the element type that was asked for.
using AnyBlock = std::variant<Block<float>, Block<double>>;

/// A node as its reverse rule sees it: inputs and outputs as expressions, and the outputs' cotangents.
struct Vjp {
  std::span<const Expr> inputs;      ///< the op's inputs
  std::span<const Expr> outputs;     ///< the op's outputs
  std::span<const Expr> cotangents;  ///< one for each output; null for an output that nothing depends on
  /// Which inputs' cotangents are wanted; the others may be left null.
  std::span<const bool> wanted;
  Expr output;     ///< the first output, for most ops the only one
  Expr cotangent;  ///< of the first output
};

/// The result of the reverse rule of an op without a derivative.
inline std::vector<Expr> no_gradient(const Vjp& v) { return std::vector<Expr>(v.inputs.size()); }

class ElementwiseOp;

/// An op: a value with a name, attributes, traits, shape rule, reverse rule and kernels. An op knows
/// nothing of a graph's internals, and nothing else knows an op's name. Derive through `OpOf` or
/// `Elementwise` (gradus/graph/op_of.hpp, elementwise.hpp), which supply most of this from a few members.
class Op {
 public:
  Op() = default;
  /// Ops are values.
  Op(const Op&) = default;
  Op& operator=(const Op&) = default;
  virtual ~Op() = default;

  /// The name that dumps and errors use.
  virtual std::string_view name() const = 0;
  /// "transpose_a=true, axis=1"; empty for an op without attributes.
  virtual std::string attribute_text() const = 0;
  /// The same for equal types of op alone, whatever the linker merges.
  virtual const void* type_id() const = 0;
  virtual Traits traits() const { return {}; }
  /// This op as an elementwise one; null if it is not.
  virtual const ElementwiseOp* elementwise() const { return nullptr; }

  /// The outputs' shapes. Throw Error with the reason alone ("inner dimensions differ"): the graph adds the
  /// op's name, the user's line and the operands.
  virtual std::vector<Shape> output_shapes(InputShapes inputs) const = 0;

  /// The cotangents of the inputs, one each, as graph expressions: null where there is no gradient path.
  virtual std::vector<Expr> vjp(const Vjp& v) const = 0;

  /// A simpler expression of the same value, where the op knows one for these inputs (which may be looked
  /// into); null where it does not. Asked when a program is compiled.
  virtual Expr canonicalize(std::span<const Expr> /*inputs*/) const { return {}; }

  /// Computes the outputs.
  virtual AnyKernel kernel(const KernelShapes& shapes, DType dtype) const = 0;
  /// How much scratch memory a kernel wants while it runs; each thread gets its own.
  virtual std::size_t workspace_bytes(const KernelShapes&, DType) const { return 0; }
  /// Whether a few rows cost no more than their share of all; asked of ops with the trait `by_rows`.
  virtual bool rows_are_cheap(const KernelShapes&, DType) const { return true; }
  /// Arithmetic operations and elementary functions, one each.
  virtual double flop(const KernelShapes& shapes) const {
    return static_cast<double>(element_count(shapes.output()));
  }

  /// How ONNX says it; empty for what it has no words for.
  virtual OnnxSpelling onnx_spelling(InputShapes /*inputs*/) const { return {}; }

  /// Whether it is the same op with the same attributes.
  virtual bool same_as(const Op& other) const = 0;
  /// Equal for equal ops.
  virtual std::size_t hash() const = 0;
};

/// An op that works element by element: element i of each output depends on element i of each input alone,
/// and all shapes are equal.
class ElementwiseOp : public Op {
 public:
  const ElementwiseOp* elementwise() const final { return this; }
  /// The op's loop. Bit i of `scalars`: input i is taken as a scalar. Null for a combination of scalars that
  /// has no loop of its own; there is always one for none.
  virtual AnyBlock block(DType dtype, unsigned scalars) const = 0;
};

/// Applies an elementwise op of one output to one number for each input.
double evaluate(const ElementwiseOp& op, std::span<const double> inputs);

}  // namespace gradus
