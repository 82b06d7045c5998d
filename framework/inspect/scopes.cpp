#include "framework/inspect/scopes.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "gradus/graph/node.hpp"

namespace gradus {

namespace {

using Flags = std::vector<bool>;

// "encoder/0" of "encoder/0/W"; empty without a slash.
std::string prefix(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string::npos ? "" : name.substr(0, slash);
}

template <class V> decltype(auto) at(V& all, NodeId id) { return all[static_cast<std::size_t>(id)]; }

class Placing {
 public:
  explicit Placing(const Program& program)
      : program_(program), graph_(*program.graph), places_(static_cast<std::size_t>(graph_.size())) {}

  std::vector<NodePlace> run() {
    const Flags forward = ancestors(program_.outputs);
    std::vector<NodeId> results(program_.outputs.begin() + (program_.outputs.empty() ? 0 : 1),
                                program_.outputs.end());
    if (results.empty()) results = last_named(forward);
    // Without updates everything is the model.
    const Flags model =
        program_.updates.empty() && program_.outputs.size() < 2 ? forward : ancestors(results);
    find_layers(forward);
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (is_state_of_optimizer(id))
        place_state(id);
      else if (at(forward, id) || is_leaf(id))
        place_forward(id, at(model, id) || variable(id) != nullptr);
      else
        at(places_, id).part = reads_state(id) ? Part::optimizer : Part::gradient;
    }
    for (const auto& [target, value] : program_.updates) place_update(target, value, forward);
    spread_from_consumers(forward);
    return std::move(places_);
  }

 private:
  const Variable* variable(NodeId id) const { return graph_[id].variable(); }
  bool is_leaf(NodeId id) const { return graph_[id].inputs.empty(); }

  Flags ancestors(const std::vector<NodeId>& of) const {
    Flags found(static_cast<std::size_t>(graph_.size()), false);
    for (const NodeId id : of) at(found, id) = true;
    for (NodeId id = graph_.size() - 1; id >= 0; --id)
      if (at(found, id))
        for (const NodeId input : graph_[id].inputs) at(found, input) = true;
    return found;
  }

  std::vector<NodeId> last_named(const Flags& forward) const {
    std::vector<NodeId> named;
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (at(forward, id) && !is_leaf(id) && !graph_[id].label.empty()) named.push_back(id);
    return named;
  }

  void find_layers(const Flags& forward) {
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (const Variable* v = variable(id); v != nullptr && (v->trainable || at(forward, id)))
        layers_.emplace(prefix(graph_[id].label), id);
  }

  // A state that is no layer's own, such as a running mean.
  bool is_state_of_optimizer(NodeId id) const {
    const Variable* v = variable(id);
    return v != nullptr && !v->trainable && !layers_.contains(prefix(graph_[id].label));
  }

  // "adam/m/hidden/W": the optimizer's name, then what is kept, then the parameter.
  void place_state(NodeId id) {
    const std::string& name = graph_[id].label;
    NodePlace& place = at(places_, id);
    place.part = Part::optimizer;
    const std::size_t first = name.find('/');
    if (optimizer_.empty()) optimizer_ = name.substr(0, first);
    const std::size_t second = first == std::string::npos ? first : name.find('/', first + 1);
    if (second != std::string::npos) place.scope = prefix(name.substr(second + 1));
  }

  bool reads_state(NodeId id) const {
    return std::ranges::any_of(graph_[id].inputs,
                               [&](NodeId input) { return at(places_, input).part == Part::optimizer; });
  }

  // Its own name, else the layer whose variables enter, else the layer that it reads: an activation belongs
  // to what it is applied to.
  void place_forward(NodeId id, bool in_model) {
    NodePlace& place = at(places_, id);
    const Node& node = graph_[id];
    place.part = in_model ? Part::model : Part::loss;
    if (variable(id) != nullptr) place.scope = prefix(node.label);
    if (is_leaf(id) || !in_model) return;
    if (layers_.contains(node.label))
      place.scope = node.label;
    else
      place.scope = prefix(node.label);
    if (!place.scope.empty()) return;
    for (const NodeId input : node.inputs)
      if (from_variables(input)) place.scope = at(places_, input).scope;
    for (const NodeId input : node.inputs)
      if (place.scope.empty()) place.scope = at(places_, input).scope;
  }

  // A variable, or a view or broadcast of one.
  bool from_variables(NodeId id) const {
    while (graph_[id].inputs.size() == 1) id = graph_[id].inputs.front();
    return variable(id) != nullptr;
  }

  // Finds the gradient in what updates a parameter: the first nodes of its shape behind the optimizer's.
  void place_update(NodeId target, NodeId value, const Flags& forward) {
    const std::string scope = at(places_, target).scope;
    if (at(places_, target).part == Part::model && !variable(target)->trainable) {
      at(places_, value) = {Part::model, scope};  // a running mean
      return;
    }
    at(places_, value).part = Part::optimizer;
    if (!scope.empty()) at(places_, value).scope = scope;
    if (!variable(target)->trainable) return;
    std::vector<NodeId> open{value};
    std::set<NodeId> seen;
    while (!open.empty()) {
      const NodeId id = open.back();
      open.pop_back();
      for (const NodeId input : graph_[id].inputs) {
        if (at(forward, input) || is_leaf(input) || !seen.insert(input).second) continue;
        NodePlace& place = at(places_, input);
        if (place.part == Part::optimizer)
          open.push_back(input);
        else if (graph_[input].shape == graph_[target].shape)
          place = {Part::gradient, scope, target};
      }
    }
  }

  // A node without a scope takes that of its readers in the same part: the layer nearest to the loss in the
  // gradient, and in the optimizer only where all agree.
  void spread_from_consumers(const Flags& forward) {
    std::vector<std::set<NodeId>> readers(static_cast<std::size_t>(graph_.size()));
    for (NodeId id = 0; id < graph_.size(); ++id)
      for (const NodeId input : graph_[id].inputs) at(readers, input).insert(id);
    for (NodeId id = graph_.size() - 1; id >= 0; --id) {
      NodePlace& place = at(places_, id);
      if (at(forward, id) || is_leaf(id) || place.gradient_of >= 0 || !place.scope.empty()) continue;
      std::map<NodeId, std::string> scopes;  // by the layer's first variable: the order of layers
      for (const NodeId reader : at(readers, id)) {
        const NodePlace& other = at(places_, reader);
        const auto layer = layers_.find(other.scope);
        if (other.part == place.part && layer != layers_.end()) scopes[layer->second] = other.scope;
      }
      if (place.part == Part::gradient && !scopes.empty()) place.scope = scopes.rbegin()->second;
      if (place.part == Part::optimizer && scopes.size() == 1 && at(readers, id).size() == 1)
        place.scope = scopes.begin()->second;
    }
    for (NodePlace& place : places_)
      if (place.part == Part::optimizer && !optimizer_.empty())
        place.scope = place.scope.empty() ? optimizer_ : optimizer_ + "/" + place.scope;
  }

  const Program& program_;
  const Graph& graph_;
  std::vector<NodePlace> places_;
  std::map<std::string, NodeId> layers_;  // by name: the first variable
  std::string optimizer_;
};

}  // namespace

std::string_view to_string(Part part) {
  switch (part) {
    case Part::model:
      return "model";
    case Part::loss:
      return "loss";
    case Part::gradient:
      return "gradient";
    case Part::optimizer:
      return "optimizer";
  }
  return {};
}

std::vector<NodePlace> places_of(const Program& program) { return Placing(program).run(); }

}  // namespace gradus
