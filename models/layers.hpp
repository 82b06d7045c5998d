#pragma once

// Every layer.
#include "gradus/models/layers/dropout.hpp"
#include "gradus/models/layers/linear.hpp"
#include "gradus/models/layers/normalization.hpp"
