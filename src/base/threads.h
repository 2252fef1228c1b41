// SPDX-License-Identifier: Apache-2.0
#pragma once
// The one worker pool of the process.

#include <cstdint>
#include <functional>

namespace hearth {

// Number of threads that parallel_for uses, the caller included. Default: HEARTH_THREADS, else the processors that this
// process may run on. set_num_threads must not be called while work runs; it may be called any number of times.
int num_threads();
void set_num_threads(int threads);

// Calls body(index, thread) for every index in [0, count), thread in [0, num_threads()); returns when all are done.
// Each thread takes its share of the indices first, thread t the t-th of equal contiguous shares, in order, then what
// others have left: rows that several calls work on stay in the cache of one core. The first exception thrown is
// rethrown here. Called from inside a body it runs serially (thread stays that of the caller's).
void parallel_for(int64_t count, const std::function<void(int64_t index, int thread)>& body);

// What the slowest of some threads takes longer than the others, in tasks of parallel_for: processors are shared with
// other programs, other machines and their own second thread, and a thread without tasks of its own takes those of
// others. Measured: 16 cores, matrix products of 12 shapes: 128 tasks 1.15 to 1.3 times as fast as 16.
double last_turn(int threads);

// Splits [0, count) in at most four contiguous ranges for each thread, whose sizes are multiples of grain (but the
// last), and calls body(begin, end, thread). The split depends only on count, grain and num_threads().
void parallel_ranges(int64_t count, int64_t grain,
                     const std::function<void(int64_t begin, int64_t end, int thread)>& body);

}  // namespace hearth
