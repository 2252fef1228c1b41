// SPDX-License-Identifier: Apache-2.0
#include "base/threads.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace hearth {
namespace {

int default_threads() {
  if (const char* text = std::getenv("HEARTH_THREADS")) {
    const int n = std::atoi(text);
    if (n > 0) return std::min(n, 1024);
  }
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

thread_local bool inside_job = false;
thread_local int this_thread = 0;

// Workers spin for the next job a little longer than kernels of a plan are apart, then sleep.
constexpr int kSpins = 4000;

// Threads run at uneven speeds, on processors shared with others: the fast ones take ranges of the slow.
constexpr int64_t kRangesPerThread = 4;

// The indices of one thread: others take of them when they have none left of their own. A line each, so that threads
// which take their own do not disturb each other.
struct alignas(64) Share {
  std::atomic<int64_t> next{0};
  int64_t end = 0;
  std::atomic<bool> busy{false};  // the thread is, or may be, in the open job
};

// A job is open from run()'s start until its indices are handed out. Workers enter an open job when they notice it;
// run() waits only for those that did, so a short job does not wait for workers that still wake up.
class Pool {
 public:
  explicit Pool(int threads) : threads_(threads), shares_(size_t(threads)) {
    for (int t = 1; t < threads; ++t) workers_.emplace_back([this, t] { work(t); });
  }
  ~Pool() {
    {
      std::lock_guard lock(mutex_);
      stop_.store(true);
      generation_.fetch_add(1);
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }
  int threads() const { return threads_; }

  void run(int64_t count, const std::function<void(int64_t, int)>& body) {
    std::lock_guard one_job_at_a_time(job_mutex_);
    body_ = &body;
    error_ = nullptr;
    for (int t = 0; t < threads_; ++t) {
      shares_[size_t(t)].next.store(count * t / threads_, std::memory_order_relaxed);
      shares_[size_t(t)].end = count * (t + 1) / threads_;
    }
    open_.store(true);
    generation_.fetch_add(1);
    if (sleepers_.load() > 0) {
      { std::lock_guard lock(mutex_); }  // a worker between its last look and its sleep has the lock
      wake_.notify_all();
    }
    take(0);
    open_.store(false);
    for (int t = 1; t < threads_; ++t) wait_for(shares_[size_t(t)]);
    if (error_) std::rethrow_exception(error_);
  }

 private:
  static void wait_for(const Share& share) {
    for (int spin = 0; share.busy.load(); ++spin) {
      if (spin > kSpins)
        std::this_thread::yield();
      else
        __builtin_ia32_pause();
    }
  }

  // Its own indices in order, then what others have left.
  void take(int thread) {
    inside_job = true;
    this_thread = thread;
    try {
      for (int other = 0; other < threads_; ++other) {
        Share& share = shares_[size_t((thread + other) % threads_)];
        while (share.next.load(std::memory_order_relaxed) < share.end) {
          const int64_t i = share.next.fetch_add(1, std::memory_order_relaxed);
          if (i < share.end) (*body_)(i, thread);
        }
      }
    } catch (...) {
      std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      for (Share& share : shares_) share.next.store(share.end, std::memory_order_relaxed);
    }
    inside_job = false;
  }

  void work(int thread) {
    Share& mine = shares_[size_t(thread)];
    uint64_t seen = 0;
    while (!stop_.load()) {
      for (int spin = 0; spin < kSpins && generation_.load(std::memory_order_relaxed) == seen; ++spin)
        __builtin_ia32_pause();
      if (generation_.load() == seen) {
        std::unique_lock lock(mutex_);
        sleepers_.fetch_add(1);
        wake_.wait(lock, [&] { return generation_.load() != seen; });
        sleepers_.fetch_sub(1);
      }
      seen = generation_.load();
      mine.busy.store(true);  // before the look at open_: run() closes the job first and looks who is busy afterwards
      if (open_.load()) take(thread);
      mine.busy.store(false);
    }
  }

  const int threads_;
  std::vector<Share> shares_;
  std::vector<std::thread> workers_;
  std::mutex job_mutex_, mutex_;
  std::condition_variable wake_;
  std::atomic<uint64_t> generation_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<bool> open_{false}, stop_{false};
  const std::function<void(int64_t, int)>* body_ = nullptr;
  std::exception_ptr error_;
};

std::mutex pool_mutex;
std::atomic<int> wanted_threads{0};
std::unique_ptr<Pool> the_pool;

Pool& pool() {
  std::lock_guard lock(pool_mutex);
  const int wanted = num_threads();
  if (!the_pool || the_pool->threads() != wanted) {
    the_pool.reset();
    the_pool = std::make_unique<Pool>(wanted);
  }
  return *the_pool;
}

}  // namespace

int num_threads() {
  int n = wanted_threads.load();
  if (n == 0) {
    int expected = 0;
    wanted_threads.compare_exchange_strong(expected, default_threads());
    n = wanted_threads.load();
  }
  return n;
}

void set_num_threads(int threads) { wanted_threads.store(std::max(1, threads)); }

void parallel_for(int64_t count, const std::function<void(int64_t, int)>& body) {
  if (count <= 0) return;
  if (inside_job || count == 1 || num_threads() == 1) {
    const int thread = inside_job ? this_thread : 0;
    for (int64_t i = 0; i < count; ++i) body(i, thread);
    return;
  }
  pool().run(count, body);
}

double last_turn(int threads) { return 0.1 * std::log2(std::max(1, threads)); }

void parallel_ranges(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t, int)>& body) {
  if (count <= 0) return;
  const int64_t blocks = (count + grain - 1) / grain,
                parts = std::min<int64_t>(blocks, kRangesPerThread * num_threads());
  parallel_for(parts, [&](int64_t part, int thread) {
    const int64_t begin = blocks * part / parts * grain, end = std::min(count, blocks * (part + 1) / parts * grain);
    if (begin < end) body(begin, end, thread);
  });
}

}  // namespace hearth
