#pragma once

// Training as Keras does it.
#include "gradus/train/callbacks.hpp"
#include "gradus/train/split.hpp"
#include "gradus/train/tensorboard.hpp"
#include "gradus/train/trainer.hpp"
