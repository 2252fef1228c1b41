// SPDX-License-Identifier: Apache-2.0
#pragma once
// The pickle that describes a state dict in a torch.save archive.

#include <string>
#include <vector>

#include "io/tensor_writer.h"

namespace hearth {

// An OrderedDict of contiguous tensors in the order given; the storage of the i-th tensor that shares no other's is
// called i. Throws Error{value} for two tensors of one name, Error{unsupported} for types without a storage.
std::string torch_pickle(const std::vector<NewTensor>& tensors, const std::string& path);

}  // namespace hearth
