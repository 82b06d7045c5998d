#include "gradus/framework/graph/add.hpp"

#include "gradus/framework/graph/elementwise_kernels.hpp"

template class gradus::Elementwise<gradus::Add, 2>;
