// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>

namespace hearth {
namespace {

TEST(Interrupt, the_first_is_noted) {
  const Interrupt interrupt;
  EXPECT_FALSE(interrupt.pending());
  std::raise(SIGINT);
  EXPECT_TRUE(interrupt.pending());
}

TEST(Interrupt, a_new_one_begins_without) {
  {
    const Interrupt first;
    std::raise(SIGTERM);
  }
  EXPECT_FALSE(Interrupt().pending());
}

TEST(InterruptDeathTest, the_second_ends_the_program) {
  const auto twice = [] {
    const Interrupt interrupt;
    std::raise(SIGINT);
    std::raise(SIGINT);
  };
  EXPECT_EXIT(twice(), testing::KilledBySignal(SIGINT), "");
}

TEST(InterruptDeathTest, dies_of_the_signal_that_came) {
  const auto die = [] {
    const Interrupt interrupt;
    std::raise(SIGTERM);
    interrupt.die();
  };
  EXPECT_EXIT(die(), testing::KilledBySignal(SIGTERM), "");
}

TEST(InterruptDeathTest, afterwards_signals_end_the_program_again) {
  const auto after = [] {
    { const Interrupt interrupt; }
    std::raise(SIGINT);
  };
  EXPECT_EXIT(after(), testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace hearth
