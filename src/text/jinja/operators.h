// SPDX-License-Identifier: Apache-2.0
#pragma once
// Python's operators on values.

#include <string>

#include "text/jinja/value.h"

namespace hearth::jinja {

// + - * / // % **. Error{value} as Python's TypeError, ZeroDivisionError or, beyond 64 bits, for integers too large.
Value binary(Interpreter& interpreter, const std::string& op, const Value& a, const Value& b);
Value negated(const Value& value);
Value plus(const Value& value);

// -1, 0, 1; 2 where a NaN makes all comparisons false. Error{value} for kinds that have no order, naming `op`.
int order(Interpreter& interpreter, const Value& a, const Value& b, const char* op);
bool contains(Interpreter& interpreter, const Value& whole, const Value& part);
// == != < <= > >= in "not in"
bool compare(Interpreter& interpreter, const std::string& op, const Value& a, const Value& b);

// Error{value} with the message of an undefined value, if it is one.
void check_defined(const Value& value);
// Error{value} for what cannot be a key: lists and dicts.
void check_hashable(const Value& value);

// begin, end and step of a slice are integers or none.
Value slice(Interpreter& interpreter, const Value& object, const Value& begin, const Value& end, const Value& step);

}  // namespace hearth::jinja
