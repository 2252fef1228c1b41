// SPDX-License-Identifier: Apache-2.0
// hearth_metrics FOLDER: writes what tests/interop/tensorboard_test.py reads with the real TensorBoard: 20 steps, a
// kill after step 20 with the last checkpoint at step 10, and steps 11 to 30 of the resumed run; the same as log.jsonl,
// and loss.svg.
#include <cmath>
#include <iostream>

#include "base/error.h"
#include "train/metrics/jsonl_log.h"
#include "train/metrics/svg_chart.h"
#include "train/metrics/tensorboard.h"

using namespace hearth;

static void run_steps(TensorBoardWriter board, JsonlLog log, int64_t first, int64_t last, double offset) {
  for (int64_t step = first; step <= last; ++step) {
    const double loss = offset + 1.0 / double(step);
    board.scalars(step, {{"train/loss", loss}, {"train/learning_rate", 2e-4}, {"größe/π", -double(step)}});
    log.write({.step = step, .loss = loss, .learning_rate = 2e-4});
  }
  board.scalars(int64_t{1} << 40, {{"large/step", 1e30}});
  board.scalars(last, {{"train/grad_norm", std::nan("")}});
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: hearth_metrics FOLDER\n";
    return 2;
  }
  try {
    const std::string folder = argv[1], log_path = folder + "/log.jsonl";
    TensorBoardWriter board(folder + "/runs");
    run_steps(std::move(board), JsonlLog::create(log_path), 1, 20, 100);
    run_steps(TensorBoardWriter(folder + "/runs", 11), JsonlLog::resume(log_path, 10), 11, 30, 200);
    write_svg(folder + "/loss.svg", loss_chart(read_jsonl_log(log_path), "hearth_metrics"));
  } catch (const Error& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
