// SPDX-License-Identifier: Apache-2.0
#include "train/run_control.h"

#include <gtest/gtest.h>

#include <cmath>

#include "train/loss_scale.h"

namespace hearth {
namespace {

TEST(RunControl, counts_evaluations_without_enough_progress_as_transformers_does) {
  RunControl control({.early_stop_patience = 2, .early_stop_threshold = 0.1});
  EXPECT_TRUE(control.observe(3, 1));
  EXPECT_TRUE(control.observe(2.95, 2));  // the best, but not by enough: 1
  EXPECT_TRUE(control.observe(2.8, 3));   // by 0.15: 0
  EXPECT_FALSE(control.observe(2.8, 4));  // 1
  EXPECT_FALSE(control.should_stop());
  EXPECT_FALSE(control.observe(2.9, 5));  // 2
  EXPECT_TRUE(control.should_stop());
  EXPECT_EQ(control.best_step(), 3);
}

TEST(RunControl, a_loss_that_is_not_finite_is_never_the_best) {
  RunControl control({.early_stop_patience = 1, .keep_best = true});
  EXPECT_FALSE(control.observe(NAN, 1));
  EXPECT_TRUE(control.should_stop());
  EXPECT_TRUE(control.observe(7, 2));
  EXPECT_FALSE(control.observe(INFINITY, 3));
  EXPECT_EQ(control.best_step(), 2);
}

TEST(RunControl, goes_on_from_its_state) {
  RunControl whole({.early_stop_patience = 3}), cut({.early_stop_patience = 3});
  const double losses[] = {3, 2.1, 2.3, 1.0 / 3, 2, 2, 2};
  for (int64_t step = 0; step < 7; ++step) {
    const Json state = cut.state();
    const Json parsed = Json::parse(state.dump());
    cut = RunControl({.early_stop_patience = 3});
    cut.restore(JsonView(parsed, "state"));
    EXPECT_EQ(whole.observe(losses[step], step), cut.observe(losses[step], step));
    EXPECT_EQ(whole.should_stop(), cut.should_stop());
  }
  EXPECT_TRUE(whole.should_stop());
  EXPECT_EQ(cut.best_step(), 3);
  EXPECT_EQ(cut.best_loss(), 1.0 / 3);
}

TEST(LossScale, halves_on_overflow_and_doubles_after_2000_good_steps) {
  LossScale scale;
  EXPECT_EQ(scale.scale(), 65536);
  EXPECT_TRUE(scale.update(false));
  EXPECT_EQ(scale.scale(), 32768);
  for (int i = 0; i < 1999; ++i) scale.update(true);
  EXPECT_EQ(scale.scale(), 32768);
  LossScale again;
  const Json state = scale.state();
  again.restore(JsonView(state, "state"));
  EXPECT_TRUE(again.update(true));
  EXPECT_EQ(again.scale(), 65536);
  EXPECT_EQ(again.skipped(), 1);
}

TEST(LossScale, gives_up_when_no_scale_helps) {
  LossScale scale;
  int steps = 1;
  while (scale.update(false)) ++steps;
  EXPECT_EQ(steps, 27);  // 2^16 to 2^-11
}

}  // namespace
}  // namespace hearth
