#pragma once

#include "gradus/graph/expr.hpp"

bool gradients_are_right(const gradus::Expr& loss);
/// An error that the library throws is caught here, with its message.
bool errors_name_the_line(const gradus::Expr& x);
/// Ops of two source files are two, even if their types have one name.
bool namesakes_differ();
