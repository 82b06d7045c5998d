#pragma once

#include "gradus/graph/expr.hpp"

gradus::Expr swish(gradus::Arg x);
