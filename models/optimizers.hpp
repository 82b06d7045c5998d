#pragma once

// Every optimizer.
#include "gradus/models/optimizers/adagrad.hpp"
#include "gradus/models/optimizers/adam.hpp"
#include "gradus/models/optimizers/rmsprop.hpp"
#include "gradus/models/optimizers/rprop.hpp"
#include "gradus/models/optimizers/sgd.hpp"
