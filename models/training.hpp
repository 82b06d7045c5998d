#pragma once

// Training as Keras does it.
#include "gradus/models/training/callbacks.hpp"
#include "gradus/models/training/trainer.hpp"
