#include "models/train/event_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <vector>

#include "framework/compile/extract.hpp"
#include "framework/inspect/scopes.hpp"
#include "gradus/base/error.hpp"
#include "gradus/graph/node.hpp"
#include "models/data/png.hpp"

namespace gradus {

namespace {

// Numbers of fields, by message: tensorflow/core/framework and tensorflow/core/util/event.proto.
namespace event {
constexpr int graph_def = 4, summary = 5, session_log = 7;
}
namespace session_log {
constexpr int status = 1;
}
namespace summary {
constexpr int value = 1;
}
namespace summary_value {
constexpr int tag = 1, simple = 2, image = 4, histogram = 5;
}
namespace picture {
constexpr int height = 1, width = 2, colours = 3, encoded = 4;
}
namespace histogram {
constexpr int min = 1, max = 2, count = 3, sum = 4, sum_squares = 5, limits = 6, buckets = 7;
}
namespace graph_def {
constexpr int node = 1, versions = 4;
}
namespace version_def {
constexpr int producer = 1;
}
namespace node_def {
constexpr int name = 1, op = 2, input = 3, attribute = 5;
}
namespace attribute {
constexpr int key = 1, value = 2, list = 1, text = 2, list_shape = 7;
}
namespace tensor_shape {
constexpr int dim = 2, dim_size = 1;
}

ProtobufMessage summary_event(const ProtobufMessage& value) {
  return ProtobufMessage().message(event::summary, ProtobufMessage().message(summary::value, value));
}

ProtobufMessage histogram_of(std::span<const double> values) {
  constexpr std::size_t count = 30;
  std::vector<double> finite;
  std::ranges::copy_if(values, std::back_inserter(finite), [](double v) { return std::isfinite(v); });
  double min = 0, max = 0, sum = 0, squares = 0;
  if (!finite.empty()) min = *std::ranges::min_element(finite), max = *std::ranges::max_element(finite);
  std::vector<double> limits(count), buckets(count, 0);
  for (std::size_t i = 0; i < count; ++i)
    limits[i] = std::lerp(min, max, static_cast<double>(i + 1) / static_cast<double>(count));
  limits.back() = max;
  for (const double v : finite) {
    sum += v;
    squares += v * v;
    const auto bucket = static_cast<std::size_t>(std::ranges::upper_bound(limits, v) - limits.begin());
    buckets[std::min(bucket, count - 1)] += 1;
  }
  ProtobufMessage made;
  made.number(histogram::min, min).number(histogram::max, max);
  made.number(histogram::count, static_cast<double>(finite.size()));
  made.number(histogram::sum, sum).number(histogram::sum_squares, squares);
  made.numbers(histogram::limits, limits).numbers(histogram::buckets, buckets);
  return made;
}

// A name that TensorFlow allows, and that no other node has.
std::string allowed(std::string name, NodeId id, std::set<std::string>& taken) {
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_' && c != '-' && c != '/')
      c = '_';
  if (name.empty() || (std::isalnum(static_cast<unsigned char>(name.front())) == 0 && name.front() != '.'))
    name.insert(0, "n");
  // A label may look like a name that was made here.
  while (!taken.insert(name).second) name += fmt::format("_{}", id);
  return name;
}

std::string wanted_name(const Node& node, NodeId id, const NodePlace& place) {
  if (!node.label.empty()) return node.label;
  const std::string in_layer =
      (place.scope.empty() ? "" : place.scope + "/") + fmt::format("{}_{}", node.name(), id);
  return place.part == Part::model ? in_layer : fmt::format("{}/{}", to_string(place.part), in_layer);
}

// As TensorFlow calls leaves, which TensorBoard draws by that.
std::string_view op_name(const Node& node) {
  if (node.variable() != nullptr) return "VariableV2";
  if (node.input() != nullptr) return "Placeholder";
  return node.is_leaf() && node.output() == nullptr ? "Const" : node.name();
}

ProtobufMessage shape_of(const Shape& shape) {
  ProtobufMessage made;
  for (const Dim dim : shape)  // -1 is an extent that is open
    made.message(tensor_shape::dim,
                 ProtobufMessage().integer(tensor_shape::dim_size, dim.is_constant() ? dim.constant() : -1));
  return made;
}

void add_attribute(ProtobufMessage& node, std::string_view key, const ProtobufMessage& value) {
  node.message(node_def::attribute,
               ProtobufMessage().text(attribute::key, key).message(attribute::value, value));
}

}  // namespace

ProtobufMessage session_event() {
  constexpr std::int64_t start = 1;  // of SessionLog's states
  return ProtobufMessage().message(event::session_log, ProtobufMessage().integer(session_log::status, start));
}

ProtobufMessage scalar_event(const std::string& tag, double value) {
  return summary_event(ProtobufMessage()
                           .text(summary_value::tag, tag)
                           .single(summary_value::simple, static_cast<float>(value)));
}

ProtobufMessage histogram_event(const std::string& tag, std::span<const double> values) {
  return summary_event(ProtobufMessage()
                           .text(summary_value::tag, tag)
                           .message(summary_value::histogram, histogram_of(values)));
}

ProtobufMessage image_event(const TensorboardImage& image) {
  ProtobufMessage made;
  made.integer(picture::height, image.height).integer(picture::width, image.width);
  made.integer(picture::colours, image.channels);
  try {
    made.text(picture::encoded, png_bytes(image.height, image.width, image.channels, image.pixels));
  } catch (const Error& error) {
    throw Error(fmt::format("tensorboard: the image '{}': {}", image.tag, error.what()));
  }
  return summary_event(
      ProtobufMessage().text(summary_value::tag, image.tag).message(summary_value::image, made));
}

ProtobufMessage graph_event(const ModelGraph& model) {
  const Program program = extract(std::array{model.loss, model.prediction}, {});
  const Graph& graph = *program.graph;
  const auto places = places_of(program);
  std::vector<std::string> names;
  std::set<std::string> taken;
  ProtobufMessage all;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph[id];
    names.push_back(allowed(wanted_name(node, id, places[static_cast<std::size_t>(id)]), id, taken));
    ProtobufMessage made;
    made.text(node_def::name, names.back()).text(node_def::op, op_name(node));
    for (const NodeId input : node.inputs) made.text(node_def::input, names[static_cast<std::size_t>(input)]);
    add_attribute(
        made, "_output_shapes",
        ProtobufMessage().message(attribute::list,
                                  ProtobufMessage().message(attribute::list_shape, shape_of(node.shape))));
    if (node.where.known())
      add_attribute(made, "where", ProtobufMessage().text(attribute::text, to_string(node.where)));
    all.message(graph_def::node, made);
  }
  constexpr std::int64_t of_tensorflow_2 = 987;
  all.message(graph_def::versions, ProtobufMessage().integer(version_def::producer, of_tensorflow_2));
  return ProtobufMessage().message(event::graph_def, all);
}

}  // namespace gradus
