#pragma once

// Every optimizer.
#include "gradus/optim/adagrad.hpp"
#include "gradus/optim/adam.hpp"
#include "gradus/optim/rmsprop.hpp"
#include "gradus/optim/rprop.hpp"
#include "gradus/optim/sgd.hpp"
