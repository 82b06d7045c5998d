#include "gradus/graph/node.hpp"

#include "gradus/graph/op.hpp"

namespace gradus {

std::string_view Node::name() const {
  if (const Op* applied = op()) return applied->name();
  if (const Variable* held = variable()) return held->trainable ? "parameter" : "state";
  if (output() != nullptr) return "output";
  if (input() != nullptr) return "input";
  return full() != nullptr ? "full" : "constant";
}

Traits Node::traits() const {
  const Op* applied = op();
  return applied == nullptr ? Traits() : applied->traits();
}

}  // namespace gradus
