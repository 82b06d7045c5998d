#pragma once

#include <string>

#include "framework/compile/plan.hpp"

/// How dumps and pictures name things.
namespace gradus {

/// "W1" for what has a name, the number for a uniform constant, "%7" for the rest.
std::string short_name(const Graph& graph, NodeId id);

/// The op with the attributes that the shape does not tell already.
std::string op_text(const Node& node);

/// "arena+256 in place", "store 'hidden/W'".
std::string buffer_text(const Plan& plan, const Buffer& buffer);

/// " (row)" for an operand that is spread; empty for one that is read as it is.
std::string_view access_text(Access access);

/// A step's ops ("matmul add relu"), and the user's name of its first result, else "%7 [32, 128]".
std::string step_ops(const Plan& plan, const Step& step);
std::string step_name(const Plan& plan, const Step& step);

}  // namespace gradus
