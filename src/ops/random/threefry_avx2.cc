// SPDX-License-Identifier: Apache-2.0
#include "ops/random/threefry_impl.h"

namespace hearth {
const ThreefryTiles threefry_avx2 = {run, each};
}  // namespace hearth
