#pragma once

// Everything that a model needs.
#include "gradus/autodiff/gradient.hpp"
#include "gradus/check/gradient_check.hpp"
#include "gradus/inspect/draw.hpp"
#include "gradus/inspect/dump.hpp"
#include "gradus/nn/initializers.hpp"
#include "gradus/nn/layers.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/optimizers.hpp"
#include "gradus/runtime/executable.hpp"
#include "gradus/train/training.hpp"
