#pragma once

// Everything that a source file needs to define an op of its own.
#include "gradus/ops.hpp"
#include "gradus/ops/rules.hpp"
