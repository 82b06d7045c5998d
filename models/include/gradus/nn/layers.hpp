#pragma once

// Every layer.
#include "gradus/nn/dropout.hpp"
#include "gradus/nn/linear.hpp"
#include "gradus/nn/normalization.hpp"
#include "gradus/nn/shared.hpp"
