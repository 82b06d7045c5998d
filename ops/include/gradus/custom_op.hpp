#pragma once

// For source files that define an op of their own.
#include "gradus/ops.hpp"
#include "gradus/ops/rules.hpp"
