#pragma once

#include "gradus/framework/graph/expr.hpp"

gradus::Expr swish(gradus::Arg x);
