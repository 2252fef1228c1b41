// SPDX-License-Identifier: Apache-2.0
#include "cli/run_folder.h"

#include <gtest/gtest.h>

#include "base/file_test_folder.h"

namespace hearth {
namespace {

class DescribeRun : public testing::Test {
 protected:
  void SetUp() override {
    write_file_atomic(folder_ / "a.txt", "to be");
    write_file_atomic(folder_ / "b.txt", "to be");
    write_file_atomic(folder_ / "c.txt", "to do");
    flags_.model = source_file("assets/prose-14m");
    flags_.data = folder_ / "a.txt";
    flags_.output = folder_ / "out";
  }
  Json described(const FinetuneFlags& flags) {
    return parse_json(describe_run(flags, LanguageModel::load(flags.model)), "description");
  }
  // Names of what differs when `change` is made.
  std::string changes(const std::function<void(FinetuneFlags&)>& change) {
    FinetuneFlags other = flags_;
    change(other);
    const Json before = described(flags_), after = described(other);
    std::string names;
    for (const auto& [name, value] : after.items())
      if (!before.contains(name) || before[name] != value) names += name + " ";
    return names;
  }
  TestFolder folder_;
  FinetuneFlags flags_;
};

TEST_F(DescribeRun, a_changed_flag_is_named) {
  EXPECT_EQ(changes([](FinetuneFlags& f) { f.schedule.lr = 1e-3; }), "lr ");
  EXPECT_EQ(changes([](FinetuneFlags& f) { f.step.batch_size = 4; }), "batch-size ");
  EXPECT_EQ(changes([](FinetuneFlags& f) { f.lora.rank = 4; }), "lora-rank ");
  EXPECT_EQ(changes([](FinetuneFlags& f) { f.schedule.schedule = "cosine"; }), "schedule ");
  EXPECT_EQ(changes([](FinetuneFlags& f) { f.optimizer.args = {"beta1=0.8"}; }), "optimizer-args ");
  EXPECT_EQ(changes([](FinetuneFlags& f) { f.seed = 1; }), "seed ");
}

TEST_F(DescribeRun, a_text_counts_by_what_is_in_it) {
  EXPECT_EQ(changes([&](FinetuneFlags& f) { f.data = folder_ / "b.txt"; }), "");
  EXPECT_EQ(changes([&](FinetuneFlags& f) { f.data = folder_ / "c.txt"; }), "data ");
  EXPECT_EQ(changes([&](FinetuneFlags& f) { f.eval_data = folder_ / "a.txt"; }), "eval-data ");
}

TEST_F(DescribeRun, when_to_save_and_stop_may_change) {
  EXPECT_EQ(changes([&](FinetuneFlags& f) {
              f.output = folder_ / "moved";
              f.save_every = 5;
              f.stop_after = 7;
              f.resume = true;
            }),
            "");
}

}  // namespace
}  // namespace hearth
