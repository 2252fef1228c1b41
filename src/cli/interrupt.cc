// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.h"

#include <csignal>
#include <cstdlib>
#include <iostream>

namespace hearth {

static volatile std::sig_atomic_t caught_signal = 0;

static void set_handler(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);  // a second one finds the default: the end
  sigaction(signal, &action, nullptr);
}

Interrupt::Interrupt() {
  caught_signal = 0;
  for (const int signal : {SIGINT, SIGTERM}) set_handler(signal, [](int number) { caught_signal = number; });
}

Interrupt::~Interrupt() {
  for (const int signal : {SIGINT, SIGTERM}) set_handler(signal, SIG_DFL);
}

bool Interrupt::pending() const { return caught_signal != 0; }

int Interrupt::signal() const { return caught_signal; }

void Interrupt::die() const {
  const int signal = caught_signal;
  std::cout.flush();
  std::cerr.flush();
  set_handler(signal, SIG_DFL);
  std::raise(signal);
  std::_Exit(128 + signal);  // only where the signal is blocked
}

}  // namespace hearth
