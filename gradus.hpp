#pragma once

#include "gradus/framework/compile/executable.hpp"
#include "gradus/framework/graph/gradient.hpp"
#include "gradus/framework/inspect/dump.hpp"
#include "gradus/framework/inspect/gradient_check.hpp"
#include "gradus/ops.hpp"
#include "gradus/models/initializers.hpp"
#include "gradus/models/layers.hpp"
#include "gradus/models/optimizers.hpp"
