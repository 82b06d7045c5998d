#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "framework/inspect/scopes.hpp"

namespace gradus {

/// A box of a picture, before any folding.
struct Box {
  NodePlace place;
  std::string label;   ///< lines separated by \n
  std::string style;   ///< attributes for dot
  std::string name;    ///< how a reference to it from elsewhere reads
  std::string number;  ///< shown where there are such references
  std::string origin;  ///< what tells it where it has no scope: the user's line
  bool leaf = false;   ///< data or a variable; not an op
};

/// An arrow from one box to another: a value that the second one reads.
struct Wire {
  std::size_t from;
  std::size_t to;
  std::string label;
  bool drawn_far = false;  ///< even from one part to another, where others become references
};

/// A Graphviz digraph of boxes in clusters: the parts, and in them the layers. Folded by scope, coarser and
/// coarser, until there are no more than `most_boxes`; then a box stands for a layer, or for all layers whose
/// names differ in numbers.
std::string clustered_dot(const std::vector<Box>& boxes, const std::vector<Wire>& wires,
                          const std::string& legend, std::size_t most_boxes);

/// A text as the inside of a quoted string of dot, with \n for new lines.
std::string dot_escaped(std::string_view text);

}  // namespace gradus
