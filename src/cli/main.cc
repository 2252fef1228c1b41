// SPDX-License-Identifier: Apache-2.0
#include "cli/hearth_program.h"

int main(int argc, char** argv) { return hearth::run_program(hearth::hearth_program(), argc, argv); }
