#pragma once

#include <string>
#include <vector>

#include "framework/compile/program.hpp"

namespace GRADUS_PUBLIC gradus {

/// The purpose of a node.
enum class Part { model, loss, gradient, optimizer };
std::string_view to_string(Part part);

/// The place of a node in a picture: a part, and within it the layer whose name is `scope`, in the sense
/// that "encoder/0/W" belongs to "encoder/0"; empty where no name tells.
struct NodePlace {
  Part part = Part::model;  ///< what it is there for
  std::string scope;        ///< the layer's name
  /// The node is the gradient by this variable; -1 for all others.
  NodeId gradient_of = -1;
};

/// The place of every node of a program. The model is what the second and later outputs need, the loss what
/// only the first needs besides; with one output alone, what comes after the last named node. The optimizer
/// is what its states enter, and the gradient the rest.
std::vector<NodePlace> places_of(const Program& program);

}  // namespace gradus
