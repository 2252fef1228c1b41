# SPDX-License-Identifier: Apache-2.0
"""Cases of the array API for tests/interop/array_test.py: one module a section of the library."""
