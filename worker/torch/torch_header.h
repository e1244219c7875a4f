// LibTorch for the .cc files of this folder, and this folder's precompiled header: parsing it takes
// ten seconds and more. Never included by a header that others include.
#pragma once

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#include <torch/torch.h>
#pragma GCC diagnostic pop
