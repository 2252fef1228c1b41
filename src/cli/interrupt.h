// SPDX-License-Identifier: Apache-2.0
#pragma once
// Ctrl-C during long work: the first asks it to end at a good place, the second ends the program at once.

namespace hearth {

class Interrupt {
 public:
  Interrupt();   // from now on SIGINT and SIGTERM are noted
  ~Interrupt();  // and from here on end the program again
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool pending() const;
  int signal() const;  // that came; 0: none
  // Ends the program by the signal that came, as Unix tools do: shells then see 130 or 143.
  [[noreturn]] void die() const;
};

}  // namespace hearth
