#include "models/train/model_identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "gradus/base/random.hpp"
#include "gradus/graph/op.hpp"

namespace gradus {

namespace {

// Equal for equal nodes, in whatever process.
double hash_of(const Node& node) {
  std::string text = fmt::format("{}|{}|{}|", node.name(), node.label, to_string(node.shape));
  if (const Op* op = node.op()) text += op->attribute_text();
  if (const Output* output = node.output()) text += fmt::format("{}", output->index);
  if (const Full* full = node.full())
    text += fmt::format("{:x}{}", std::bit_cast<std::uint64_t>(full->value), to_string(Shape{full->dim}));
  if (const Constant* constant = node.constant())
    for (const double v : constant->values) text += fmt::format("{:x},", std::bit_cast<std::uint64_t>(v));
  for (const NodeId input : node.inputs) text += fmt::format("|{}", input);
  return static_cast<double>(stream_of(text) >> 12U);  // exactly, as a double
}

template <class T> double root_mean_square(std::span<const T> values) {
  double squares = 0;
  for (const T v : values) squares += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

}  // namespace

template <class T> ModelIdentity::ModelIdentity(const Graph& training, const Store<T>& store) {
  std::vector<std::string> rates;
  for (NodeId id = 0; id < training.size(); ++id) {
    const Node& node = training[id];
    nodes.push_back(hash_of(node));
    places.push_back(fmt::format("{} at {}", training.describe(id), to_string(node.where)));
    if (node.variable() != nullptr && node.variable()->is_setting) rates.push_back(node.label);
  }
  for (const std::string& name : store.names()) {
    variables.push_back(name);
    settings.push_back(std::ranges::find(rates, name) != rates.end());
    starts.push_back(root_mean_square(store.values(name)));
  }
}

template ModelIdentity::ModelIdentity(const Graph&, const Store<float>&);
template ModelIdentity::ModelIdentity(const Graph&, const Store<double>&);

}  // namespace gradus
