#include "gradus/onnx/export.hpp"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <bit>
#include <set>

#include "framework/compile/extract.hpp"
#include "gradus/data/atomic_file.hpp"
#include "gradus/graph/node.hpp"
#include "gradus/version.hpp"

namespace gradus {

namespace {

static_assert(std::endian::native == std::endian::little, "raw tensor data are little-endian");

constexpr std::int64_t opset = 17;
constexpr std::int64_t ir_version = 8;  // the one of opset 17

template <class V> constexpr ::onnx::TensorProto::DataType type_of = ::onnx::TensorProto::UNDEFINED;
template <> constexpr auto type_of<float> = ::onnx::TensorProto::FLOAT;
template <> constexpr auto type_of<double> = ::onnx::TensorProto::DOUBLE;
template <> constexpr auto type_of<std::int64_t> = ::onnx::TensorProto::INT64;

// One graph on its way to ONNX.
template <class T> class Exporter {
 public:
  Exporter(std::span<const OnnxOutput> outputs, const Store<T>& store, const OnnxOptions& options)
      : store_(store), to_(*model_.mutable_graph()) {
    std::vector<Expr> values;
    for (const OnnxOutput& output : outputs) values.push_back(output.value);
    program_ = extract(values, {});
    names_.resize(static_cast<std::size_t>(graph().size()));
    written_out_.resize(names_.size(), false);

    model_.set_ir_version(ir_version);
    model_.set_producer_name("gradus");
    model_.set_producer_version(version);
    model_.add_opset_import()->set_version(opset);
    for (const auto& [key, value] : options.metadata) {
      auto& property = *model_.add_metadata_props();
      property.set_key(key);
      property.set_value(value);
    }
    to_.set_name(options.graph_name);
    name_leaves();
    name_outputs(outputs);
    choose_written_out();
    for (NodeId id = 0; id < graph().size(); ++id) write(id);
  }

  std::string bytes() const {
    std::string bytes;
    if (!model_.SerializeToString(&bytes))
      throw Error("ONNX export: the model is larger than the 2 GB that one file can hold");
    return bytes;
  }

 private:
  const Graph& graph() const { return *program_.graph; }
  std::string& name(NodeId id) { return names_[static_cast<std::size_t>(id)]; }

  // This name, or one like it where it is taken.
  std::string unused(const std::string& wanted) {
    std::string name = wanted;
    for (int i = 2; !taken_.insert(name).second; ++i) name = fmt::format("{}#{}", wanted, i);
    return name;
  }

  void name_leaves() {
    for (NodeId id = 0; id < graph().size(); ++id)
      if (graph()[id].identity() != nullptr) name(id) = unused(graph()[id].label);
  }

  void name_outputs(std::span<const OnnxOutput> outputs) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const NodeId id = program_.outputs[i];
      const std::string& label = graph()[id].label;
      std::string given = outputs[i].name;
      if (given.empty())
        given = unused(label.empty() ? "output" : label);
      else if (!taken_.insert(given).second)
        throw Error(
            fmt::format("ONNX export: '{}' is the name of two of the inputs, variables and outputs", given));
      describe(*to_.add_output(), given, graph()[id].shape);
      // A value that already has a name, as another output or as a leaf, gets a second one.
      if (name(id).empty() && (is_compact(id) || !graph()[id].is_leaf()))
        name(id) = given;
      else
        copies_.emplace_back(id, given);
    }
  }

  // A number or a broadcast, which ONNX's elementwise operators repeat themselves.
  bool is_compact(NodeId id) const { return graph()[id].is_number() || graph()[id].traits().broadcast; }

  // Which of a node's operands are read before their broadcast: all that leave one of the full shape.
  std::vector<bool> read_compact(const Node& node) const {
    std::vector<bool> compact(node.inputs.size(), false);
    if (node.op() == nullptr || node.op()->elementwise() == nullptr) return compact;
    for (std::size_t i = 0; i < compact.size(); ++i) compact[i] = is_compact(node.inputs[i]);
    if (std::ranges::find(compact, false) == compact.end()) compact.front() = false;
    return compact;
  }

  void choose_written_out() {
    for (const NodeId id : program_.outputs) written_out_[static_cast<std::size_t>(id)] = true;
    for (NodeId id = graph().size() - 1; id >= 0; --id) {
      const Node& node = graph()[id];
      // A node that is not written to the file has no inputs there.
      const bool written = !is_compact(id) || written_out_[static_cast<std::size_t>(id)];
      const auto compact = read_compact(node);
      for (std::size_t i = 0; i < compact.size(); ++i)
        if (!is_compact(node.inputs[i]) || (written && !compact[i]))
          written_out_[static_cast<std::size_t>(node.inputs[i])] = true;
    }
  }

  void write(NodeId id) {
    const Node& node = graph()[id];
    if (const auto* variable = node.variable()) {
      write_variable(*variable, node.shape, name(id));
    } else if (node.input() != nullptr) {
      describe(*to_.add_input(), name(id), node.shape);
    } else if (const auto* constant = node.constant()) {
      const std::vector<T> values(constant->values.begin(), constant->values.end());
      name(id) = tensor<T>(name(id).empty() ? value_name(id) : name(id), node.shape.resolve({}), values);
    } else if (!is_compact(id) || written_out_[static_cast<std::size_t>(id)]) {
      write_op(id);
    }
    for (const auto& [of, copy] : copies_)
      if (of == id) add_node("Identity", {name(id)}, copy, node);
  }

  std::string value_name(NodeId id) {
    const Node& node = graph()[id];
    return unused(node.label.empty() ? fmt::format("{}#{}", node.name(), id) : node.label);
  }

  void write_op(NodeId id) {
    const Node& node = graph()[id];
    if (name(id).empty()) name(id) = value_name(id);
    if (const auto* full = node.full()) {
      add_node("Expand", {number(*full), shape(node.shape)}, name(id), node);
      return;
    }
    if (node.op() == nullptr)
      throw Error(fmt::format("ONNX export: {} is one output of several, which no ONNX spelling has",
                              graph().describe(id)));
    std::vector<const Shape*> shapes;
    for (const NodeId input : node.inputs) shapes.push_back(&graph()[input].shape);
    const OnnxSpelling spelling = node.op()->onnx_spelling(InputShapes(shapes));
    if (spelling.empty())
      throw Error(fmt::format(
          "ONNX export: the op '{}' has no ONNX spelling: {}{}; export what does without "
          "it, or give the op a member `onnx` (gradus/graph/op_of.hpp)",
          node.name(), graph().describe(id), node.where.known() ? " at " + to_string(node.where) : ""));
    const std::vector<std::string> inputs = operand_names(node);
    std::vector<std::string> results;
    for (const OnnxStep& step : spelling) {
      const bool last = &step == &spelling.back();
      std::vector<std::string> operands;
      for (const OnnxOperand& operand : step.operands)
        operands.push_back(
            std::visit([&](const auto& o) { return operand_name(o, inputs, results); }, operand));
      results.push_back(last ? name(id) : unused(fmt::format("{}/{}", name(id), step.op)));
      ::onnx::NodeProto& made = add_node(step.op, operands, results.back(), node);
      for (const auto& attribute : step.attributes)
        std::visit([&](const auto& v) { set(*made.add_attribute(), attribute.first, v); }, attribute.second);
    }
  }

  std::vector<std::string> operand_names(const Node& node) {
    const auto compact = read_compact(node);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < compact.size(); ++i)
      names.push_back(compact[i] ? compact_name(node.inputs[i]) : name(node.inputs[i]));
    return names;
  }

  // The name of what a broadcast repeats.
  std::string compact_name(NodeId id) {
    while (graph()[id].traits().broadcast) id = graph()[id].inputs.front();
    const Full* full = graph()[id].full();
    return full != nullptr ? number(*full) : name(id);
  }

  using Names = std::vector<std::string>;
  std::string operand_name(OnnxInput i, const Names& inputs, const Names&) { return inputs.at(i.index); }
  std::string operand_name(OnnxResult r, const Names&, const Names& results) { return results.at(r.step); }
  std::string operand_name(double value, const Names&, const Names&) { return number(value); }
  std::string operand_name(const Shape& s, const Names&, const Names&) { return shape(s); }
  std::string operand_name(const std::vector<double>& values, const Names&, const Names&) {
    const std::vector<T> converted(values.begin(), values.end());
    return tensor<T>(unused("numbers"), {static_cast<std::int64_t>(values.size())}, converted);
  }

  static void set(::onnx::AttributeProto& to, std::string_view key, std::int64_t value) {
    to.set_name(std::string(key));
    to.set_type(::onnx::AttributeProto::INT);
    to.set_i(value);
  }
  static void set(::onnx::AttributeProto& to, std::string_view key, const std::vector<std::int64_t>& values) {
    to.set_name(std::string(key));
    to.set_type(::onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) to.add_ints(value);
  }
  static void set(::onnx::AttributeProto& to, std::string_view key, OnnxType type) {
    set(to, key, std::int64_t{type == OnnxType::boolean ? ::onnx::TensorProto::BOOL : type_of<T>});
  }

  ::onnx::NodeProto& add_node(std::string_view op, const Names& inputs, const std::string& output,
                              const Node& node) {
    ::onnx::NodeProto& made = *to_.add_node();
    made.set_op_type(std::string(op));
    made.set_name(output);
    for (const std::string& input : inputs) made.add_input(input);
    made.add_output(output);
    if (node.where.known()) made.set_doc_string(to_string(node.where));
    return made;
  }

  void describe(::onnx::ValueInfoProto& value, const std::string& name, const Shape& shape) {
    value.set_name(name);
    auto& type = *value.mutable_type()->mutable_tensor_type();
    type.set_elem_type(type_of<T>);
    type.mutable_shape();  // a scalar has one, too
    for (const Dim dim : shape) {
      auto& extent = *type.mutable_shape()->add_dim();
      if (dim.is_constant())
        extent.set_dim_value(dim.constant());
      else
        extent.set_dim_param(to_string(dim));
    }
  }

  void write_variable(const Variable& variable, const Shape& shape, const std::string& name) {
    if (!store_.contains(variable.name))
      throw Error(
          fmt::format("ONNX export: the store has no '{}'; load or train the model first, or create its "
                      "variables (Store::create)",
                      variable.name));
    if (Shape(store_.extents(variable.name)) != shape)
      throw Error(fmt::format("ONNX export: '{}' has the shape {} in the graph, but {} in the store",
                              variable.name, to_string(shape), to_string(store_.extents(variable.name))));
    const auto values = store_.values(variable.name);
    tensor<T>(name, store_.extents(variable.name), values);
  }

  template <class V>
  std::string tensor(const std::string& name, const Extents& extents, std::span<const V> values) {
    ::onnx::TensorProto& made = *to_.add_initializer();
    made.set_name(name);
    made.set_data_type(type_of<V>);
    for (const std::int64_t extent : extents) made.add_dims(extent);
    made.set_raw_data(values.data(), values.size_bytes());
    return name;
  }
  template <class V>
  std::string tensor(const std::string& name, const Extents& extents, const std::vector<V>& values) {
    return tensor<V>(name, extents, std::span<const V>(values));
  }

  // Scalars and shapes are written once.
  template <class Make> const std::string& once(const std::string& key, Make make) {
    const auto found = made_.find(key);
    return found != made_.end() ? found->second : made_.emplace(key, make()).first->second;
  }

  std::string number(double value) {
    return once(fmt::format("number {:a}", value), [&] {
      return tensor<T>(unused(fmt::format("{}", value)), {}, std::vector<T>{static_cast<T>(value)});
    });
  }
  std::string number(const Full& full) {
    if (!full.is_dim) return number(full.value);
    if (full.dim.is_constant()) return number(static_cast<double>(full.dim.constant()));
    return once("number " + to_string(full.dim), [&] {
      const std::string count =
          of_batch({}, {full.dim.per_batch()}, {full.dim.constant()}, to_string(full.dim));
      std::string name = unused(to_string(full.dim) + "/Cast");
      set(*add_node("Cast", {count}, name, {}).add_attribute(), "to", OnnxType::element);
      return name;
    });
  }
  std::string shape(const Shape& shape) {
    return once("shape " + to_string(shape), [&] {
      std::vector<std::int64_t> per_batch, constant;
      for (const Dim dim : shape) {
        per_batch.push_back(dim.per_batch());
        constant.push_back(dim.constant());
      }
      const Extents extents{static_cast<std::int64_t>(shape.rank())};
      if (shape.is_constant()) return tensor<std::int64_t>(unused(to_string(shape)), extents, constant);
      return of_batch(extents, per_batch, constant, to_string(shape));
    });
  }

  // a·B + c, for a scalar or a vector.
  std::string of_batch(const Extents& extents, const std::vector<std::int64_t>& per_batch,
                       const std::vector<std::int64_t>& constant, const std::string& name) {
    const std::string product = unused(name + "/Mul");
    std::string sum = unused(name);
    const std::string factor = tensor<std::int64_t>(unused(name + "/per_batch"), extents, per_batch);
    const std::string rest = tensor<std::int64_t>(unused(name + "/constant"), extents, constant);
    add_node("Mul", {batch(), factor}, product, {});
    add_node("Add", {product, rest}, sum, {});
    return sum;
  }

  // B: an input's extent a·B + c, solved for it.
  const std::string& batch() {
    return once("batch", [&] {
      for (const NodeId id : program_.inputs) {
        const Shape& shape = graph()[id].shape;
        const auto open = std::ranges::find_if(shape, [](Dim d) { return !d.is_constant(); });
        if (open == shape.end()) continue;
        const auto scalar = [&](const std::string& name, std::int64_t value) {
          return tensor<std::int64_t>(unused(name), {}, std::vector<std::int64_t>{value});
        };
        const std::string axis = scalar("B/axis", open - shape.begin()), all = unused("B/Shape"),
                          extent = unused("B/Gather"), rows = unused("B/Sub");
        std::string b = unused("B");
        add_node("Shape", {name(id)}, all, {});
        add_node("Gather", {all, axis}, extent, {});
        add_node("Sub", {extent, scalar("B/rest", open->constant())}, rows, {});
        add_node("Div", {rows, scalar("B/factor", open->per_batch())}, b, {});
        return b;
      }
      throw Error("ONNX export: the graph reads the batch size, but none of its inputs has it");
    });
  }

  const Store<T>& store_;
  ::onnx::ModelProto model_;
  ::onnx::GraphProto& to_;
  Program program_;
  std::vector<std::string> names_;  // of values, by node
  std::vector<bool> written_out_;   // of broadcasts and numbers: some node needs their full shape
  std::vector<std::pair<NodeId, std::string>> copies_;
  std::set<std::string, std::less<>> taken_;
  std::map<std::string, std::string> made_;
};

}  // namespace

template <class T>
std::string onnx_model(std::span<const OnnxOutput> outputs, const Store<T>& store,
                       const OnnxOptions& options) {
  if (outputs.empty()) throw Error("ONNX export: there are no outputs");
  return Exporter<T>(outputs, store, options).bytes();
}

template <class T>
void export_onnx(const std::filesystem::path& path, std::span<const OnnxOutput> outputs,
                 const Store<T>& store, const OnnxOptions& options) {
  write_atomically(path, onnx_model(outputs, store, options));
}

template std::string onnx_model GRADUS_PUBLIC(std::span<const OnnxOutput>, const Store<float>&,
                                              const OnnxOptions&);
template std::string onnx_model GRADUS_PUBLIC(std::span<const OnnxOutput>, const Store<double>&,
                                              const OnnxOptions&);
template void export_onnx GRADUS_PUBLIC(const std::filesystem::path&, std::span<const OnnxOutput>,
                                        const Store<float>&, const OnnxOptions&);
template void export_onnx GRADUS_PUBLIC(const std::filesystem::path&, std::span<const OnnxOutput>,
                                        const Store<double>&, const OnnxOptions&);

}  // namespace gradus
