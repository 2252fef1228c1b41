#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the tests of operations, compiler and trainer with a lower instruction set. 77: this machine has not got it.
isa=$1 tests=$2
out=$(HEARTH_ISA=$isa "$tests" --gtest_filter='Isa.is_what_was_asked' 2>&1)
case "$out" in *"has at most"*) echo "SKIP this machine has no $isa"; exit 77;; esac
HEARTH_ISA=$isa exec "$tests" --gtest_brief=1 --gtest_filter='Isa.*:Compile*:OpRows*:RandomGraph*:Transforms*:Checkpoint*:Determinism*:Fusion*:Epilogue*:Trainer*:Generator*:Merge*:Dropout*:Threefry*'
