// SPDX-License-Identifier: Apache-2.0
// Rows times weights: tasks are blocks of rows by panels of columns, whose sums stay in the L2 of the core that owns
// the task while blocks of terms pass. Bound by arithmetic but for windows of one position and for groups.
#include "ops/convolution/conv_run.h"

#include <algorithm>
#include <numeric>

#include "base/threads.h"
#include "ops/convolution/conv_pack.h"
#include "ops/matmul/gemm_driver.h"

namespace hearth {
namespace {

constexpr int64_t kBlockTerms = 1024;     // of a panel of weights: 128 KiB stay in L2 while rows pass
constexpr int64_t kLongBlockTerms = 256;  // where all rows of a part pass
constexpr int64_t kTaskSums = 48 << 10;   // sums
constexpr int64_t kLongTaskSums = 256 << 10;
constexpr int64_t kFewRows = 448;  // of batch and positions, up to which weights are better copied where they are used
constexpr int64_t kNearWeights = 384 << 10;  // bytes of weights that all panels of a task may take
constexpr int64_t kTasksPerThread = 4;
constexpr int64_t kOneThreadWork = 1 << 18;  // multiply-adds below which waking the pool costs more than it saves

// Rows whose axes but the last are of these classes; one set of terms for each class of the last axis.
struct LineGroup {
  std::vector<const ConvClass*> classes;  // of the row axes but the last
  int64_t lines = 1;
  std::vector<ConvRuns> runs;  // per class of the last axis
};

struct Split {
  int64_t lines, outputs, panels;  // of a task: lines, outputs along the last axis, panels of columns
  size_t groups = 1;
};

struct Task {
  const LineGroup* groups;
  size_t group_count;
  int64_t part;
  Range lines, outputs, panels;  // lines of each group
};

class Runner {
 public:
  Runner(const ConvJob& job, const RhsCopy& rhs) : job_(job), p_(job.plan), rhs_(rhs), last_(p_.rows.back()) {
    direct_ = size_bytes(job_.dtype) == job_.unit_bytes() && p_.out_step == 1 && p_.columns % job_.kernels->lanes == 0;
    int64_t rows = 1;
    for (const ConvRowAxis& axis : p_.rows) rows *= axis.size;
    long_ = p_.form == ConvForm::features ? rows <= kFewRows && p_.terms() > 2 * rows
                                          : rows * job_.panel_width() <= kLongTaskSums;
    std::vector<const ConvClass*> classes(p_.rows.size() - 1);
    add_groups(0, classes);
    long_ ? choose_long_split(rows) : choose_split();
  }

  // Tasks copy their own weights, a block of terms at a time: where no other task reads the same.
  bool own_weights() const {
    return long_ && rhs_.in_order() && split_.groups == groups_.size() && split_.outputs == last_.size;
  }

  void run() {
    std::vector<Task> tasks;
    for (size_t g = 0; g < groups_.size(); g += split_.groups) add_tasks(g, &tasks);
    gemm_for(int64_t(tasks.size()), job_.threads, [&](int64_t i) { run_task(tasks[size_t(i)]); });
  }

 private:
  void add_groups(size_t axis, std::vector<const ConvClass*>& classes) {
    if (axis < classes.size()) {
      for (const ConvClass& c : p_.rows[axis].classes) {
        classes[axis] = &c;
        add_groups(axis + 1, classes);
      }
      return;
    }
    LineGroup group{classes, 1, {}};
    for (const ConvClass* c : classes) group.lines *= c->count;
    for (const ConvClass& of_last : last_.classes) {
      std::vector<const ConvClass*> spatial;
      for (const size_t row : p_.spatial_rows) spatial.push_back(row < classes.size() ? classes[row] : &of_last);
      group.runs.push_back(conv_runs(p_, spatial, long_ ? kLongBlockTerms : kBlockTerms, long_));
    }
    groups_.push_back(std::move(group));
  }

  int tile_rows() const { return p_.form == ConvForm::groups ? job_.kernels->lane_rows : job_.kernels->rows; }

  void choose_split() {
    const int64_t panels = job_.panels(), width = job_.panel_width(), tile = tile_rows();
    const bool near = p_.terms() * panels * width * 4 <= kNearWeights;
    split_.panels = near ? std::min<int64_t>(panels, 16) : std::min<int64_t>(panels, 4);
    int64_t rows = (near ? 32 : 64) * tile;
    if (!direct_) rows = std::max<int64_t>(tile, std::min(rows, kTaskSums / (split_.panels * width) / tile * tile));
    for (;;) {  // until there are enough tasks for an even share of each thread
      set_rows(rows);
      if (job_.threads == 1 || task_count() >= kTasksPerThread * job_.threads) return;
      if (rows > 8 * tile)
        rows = round_up(rows / 2, tile);
      else if (split_.panels > 1)
        split_.panels = ceil_div(split_.panels, 2);
      else if (rows > tile && task_count() < job_.threads)
        rows = round_up(rows / 2, tile);
      else
        return;
    }
  }
  // Few rows and long sums, as of the derivative by weights: all rows of a task pass over a block of terms before the
  // next, so that both operands are read once a task. Panels are what threads share first.
  void choose_long_split(int64_t rows) {
    int64_t lines = 0;
    for (const LineGroup& group : groups_) lines = std::max(lines, group.lines);
    const int64_t panels = job_.panels(), tile = tile_rows();
    split_ = {lines, last_.size, std::clamp<int64_t>(kLongTaskSums / (rows * job_.panel_width()), 1, panels),
              groups_.size()};
    while (task_count() < job_.threads) {
      if (split_.panels > 1)
        split_.panels = ceil_div(split_.panels, 2);
      else if (split_.outputs > tile && last_.classes.size() == 1)
        split_.outputs = round_up(split_.outputs / 2, tile);
      else if (split_.groups > 1)
        split_.groups = (split_.groups + 1) / 2;
      else
        return;
    }
  }
  void set_rows(int64_t rows) {
    const int64_t step = last_.classes[0].step * tile_rows();
    split_.outputs = last_.size <= rows ? last_.size : round_up(ceil_div(last_.size, ceil_div(last_.size, rows)), step);
    split_.lines = std::max<int64_t>(1, rows / split_.outputs);
  }
  int64_t task_count() const {
    int64_t lines = 0;
    for (size_t g = 0; g < groups_.size(); g += split_.groups) lines += ceil_div(groups_[g].lines, split_.lines);
    return lines * p_.parts * ceil_div(last_.size, split_.outputs) * ceil_div(job_.panels(), split_.panels);
  }

  void add_tasks(size_t group, std::vector<Task>* tasks) const {
    const size_t count = std::min(split_.groups, groups_.size() - group);
    const int64_t lines = split_.groups == 1 ? groups_[group].lines : split_.lines;
    for (int64_t part = 0; part < p_.parts; ++part) {
      for (int64_t j = 0; j < job_.panels(); j += split_.panels) {
        for (int64_t line = 0; line < lines; line += split_.lines) {
          for (int64_t o = 0; o < last_.size; o += split_.outputs)
            tasks->push_back({&groups_[group],
                              count,
                              part,
                              {line, std::min(line + split_.lines, lines)},
                              {o, std::min(o + split_.outputs, last_.size)},
                              {j, std::min(j + split_.panels, job_.panels())}});
        }
      }
    }
  }

  struct TaskRows {
    std::vector<const char*> lhs;  // class by class, line by line
    std::vector<char*> sums;
    std::vector<int64_t> row_of, to_rows;  // in the order of outputs: their rows, and where their results go
    std::vector<int64_t> class_begin;      // the first row of each class
  };

  // Offsets of a line's first output, in units of lhs and elements of the result.
  void line_offsets(const LineGroup& group, int64_t line, int64_t* lhs, int64_t* out) const {
    for (size_t axis = group.classes.size(); axis-- > 0;) {
      const ConvClass& c = *group.classes[axis];
      const int64_t i = line % c.count;
      line /= c.count;
      *lhs += i * c.lhs_step * p_.rows[axis].lhs_stride;
      *out += (c.first + i * c.step) * p_.rows[axis].out_stride;
    }
  }

  void list_rows(const Task& task, TaskRows* rows) const {
    rows->lhs.clear();
    rows->class_begin.clear();
    rows->row_of.clear();
    rows->to_rows.clear();
    for (size_t g = 0; g < task.group_count; ++g) list_group(task, task.groups[g], rows);
    rows->class_begin.push_back(int64_t(rows->lhs.size()));
    if (!direct_) order_rows(task.outputs.size(), rows);
  }

  // Puts lines whose results lie between each other's in the order of memory, which is how they are stored.
  void order_rows(int64_t outputs, TaskRows* rows) const {
    const int64_t lines = int64_t(rows->row_of.size()) / std::max<int64_t>(1, outputs);
    if (lines < 2 || outputs < 2) return;
    std::vector<int64_t> order(static_cast<size_t>(lines));
    std::iota(order.begin(), order.end(), 0);
    const auto to = [&](int64_t line) { return rows->to_rows[size_t(line * outputs)]; };
    std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return to(a) < to(b); });
    if (to(order.back()) - to(order.front()) >= last_.out_stride) return;
    std::vector<int64_t> row_of, to_rows;
    for (int64_t o = 0; o < outputs; ++o) {
      for (const int64_t line : order) {
        row_of.push_back(rows->row_of[size_t(line * outputs + o)]);
        to_rows.push_back(rows->to_rows[size_t(line * outputs + o)]);
      }
    }
    rows->row_of.swap(row_of);
    rows->to_rows.swap(to_rows);
  }

  void list_group(const Task& task, const LineGroup& group, TaskRows* rows) const {
    const int64_t unit = job_.unit_bytes();
    const char* lhs = job_.lhs_units + (p_.form == ConvForm::groups ? 0 : task.part * p_.part_stride * unit);
    const int64_t lines = std::min(task.lines.end, group.lines) - task.lines.begin, outputs = task.outputs.size();
    const size_t base = rows->row_of.size();
    rows->row_of.resize(base + size_t(lines * outputs));
    rows->to_rows.resize(base + size_t(lines * outputs));
    std::vector<int64_t> from(size_t(lines), 0), to(size_t(lines), 0);
    for (int64_t i = 0; i < lines; ++i) line_offsets(group, task.lines.begin + i, &from[size_t(i)], &to[size_t(i)]);
    for (const ConvClass& c : last_.classes) {
      const auto index = [&](int64_t o) {
        return std::min(c.count, ceil_div(std::max<int64_t>(0, o - c.first), c.step));
      };
      const Range range{index(task.outputs.begin), index(task.outputs.end)};
      rows->class_begin.push_back(int64_t(rows->lhs.size()));
      for (int64_t i = 0; i < lines; ++i) {
        for (int64_t j = range.begin; j < range.end; ++j) {
          const int64_t o = c.first + j * c.step;
          const size_t at = base + size_t(i * outputs + o - task.outputs.begin);
          rows->row_of[at] = int64_t(rows->lhs.size());
          rows->to_rows[at] = to[size_t(i)] + o * last_.out_stride;
          rows->lhs.push_back(lhs + (from[size_t(i)] + j * c.lhs_step * last_.lhs_stride) * unit);
        }
      }
    }
  }

  void run_task(const Task& task) const {
    static thread_local TaskRows rows;
    list_rows(task, &rows);
    const int64_t width = job_.panel_width(), ld = task.panels.size() * width, count = int64_t(rows.lhs.size());
    const int64_t unit = job_.unit_bytes();
    const int64_t first = task.panels.begin * width;
    char* out = static_cast<char*>(job_.out) + (task.part * p_.out_part + first * p_.out_step) * size_bytes(job_.dtype);
    rows.sums.resize(size_t(count));
    char* block = direct_ ? nullptr : gemm_scratch().block.at_least(count * ld * unit);
    for (size_t at = 0; at < size_t(count); ++at) {
      int64_t& row = rows.row_of[at];
      rows.sums[size_t(row)] = direct_ ? out + rows.to_rows[at] * unit : block + row * ld * unit;
      row *= ld;
    }
    size_t blocks = 0;
    for (size_t g = 0; g < task.group_count; ++g) {
      for (const ConvRuns& runs : task.groups[g].runs) blocks = std::max(blocks, runs.blocks.size() - 1);
    }
    const char* weights = job_.weights + (task.part * job_.panels() + task.panels.begin) * p_.terms() * width * unit;
    for (size_t i = 0; i < blocks; ++i) {
      size_t at = 0;
      if (own_weights()) weights = copy_block(task, int64_t(i));
      for (size_t g = 0; g < task.group_count; ++g) {
        for (const ConvRuns& runs : task.groups[g].runs) {
          multiply(task, runs, i, rows, {rows.class_begin[at], rows.class_begin[at + 1]}, weights);
          ++at;
        }
      }
    }
    if (direct_) return;
    ConvStore store{
        .from = block, .from_rows = rows.row_of.data(), .to = out, .dtype = job_.dtype, .to_rows = rows.to_rows.data()};
    store.to_step = p_.out_step;
    store.rows = count;
    store.cols = std::min(p_.columns - first, ld);
    job_.kernels->store(store);
  }

  // The task's panels over one block of terms; the result counts from term 0.
  const char* copy_block(const Task& task, int64_t block) const {
    const int64_t width = job_.panel_width(), first = block * kLongBlockTerms, panel_units = kLongBlockTerms * width;
    const int64_t end = std::min(first + kLongBlockTerms, p_.terms());
    const int64_t unit = job_.unit_bytes();
    char* to = gemm_scratch().own_b.at_least(task.panels.size() * panel_units * unit);
    for (int64_t j = 0; j < task.panels.size(); ++j)
      rhs_.run(task.part, task.panels.begin + j, first, end, to + (j * panel_units - first * width) * unit);
    return to - first * width * unit;
  }

  // The tiles of rows [range) over one block of terms and all panels.
  void multiply(const Task& task, const ConvRuns& runs, size_t block, const TaskRows& rows, Range range,
                const char* weights) const {
    if (block + 1 >= runs.blocks.size() || (block > 0 && runs.blocks[block] == runs.blocks[block + 1])) return;
    const int64_t width = job_.panel_width();
    const int64_t panel_units = width * (own_weights() ? kLongBlockTerms : p_.terms());
    ConvTile tile{.step = runs.step, .w_stride = width};
    tile.runs = runs.runs.data() + runs.blocks[block];
    tile.run_count = int64_t(runs.blocks[block + 1] - runs.blocks[block]);
    tile.add = block > 0;
    const auto run_tile = [&](int64_t i, int64_t j) {
      const int two = p_.columns - j * width > job_.kernels->lanes ? 1 : 0;
      tile.w = weights + (j - task.panels.begin) * panel_units * job_.unit_bytes();
      tile.out_offset = (j - task.panels.begin) * width;
      tile.rows = std::min<int64_t>(tile_rows(), range.end - i);
      tile.lhs = rows.lhs.data() + i;
      tile.out = rows.sums.data() + i;
      kernels_for(tile)[two](tile);
    };
    if (p_.form == ConvForm::groups) return lane_tiles(task, rows, range, weights, tile);
    for (int64_t j = task.panels.begin; j < task.panels.end; ++j)
      for (int64_t i = range.begin; i < range.end; i += tile_rows()) run_tile(i, j);
  }

  // Lane by lane: rows in the order of memory, for each element of lhs meets one panel only.
  void lane_tiles(const Task& task, const TaskRows& rows, Range range, const char* weights, ConvTile tile) const {
    const int64_t width = job_.panel_width(), unit = job_.unit_bytes();
    const int64_t panel_units = width * (own_weights() ? kLongBlockTerms : p_.terms());
    for (int64_t i = range.begin; i < range.end; i += tile.rows) {
      tile.rows = std::min<int64_t>(tile_rows(), range.end - i);
      tile.lhs = rows.lhs.data() + i;
      tile.out = rows.sums.data() + i;
      for (int64_t j = task.panels.begin; j < task.panels.end; ++j) {
        tile.w = weights + (j - task.panels.begin) * panel_units * unit;
        tile.out_offset = (j - task.panels.begin) * width;
        tile.lhs_offset = j * width;
        job_.kernels->lane_tile[p_.columns - j * width > job_.kernels->lanes ? 1 : 0](tile);
      }
    }
  }

  using Kernels = void (*const (&)[2])(const ConvTile&);
  Kernels kernels_for(const ConvTile& tile) const {
    bool next = p_.form == ConvForm::batch;
    for (int64_t r = 1; next && r < tile.rows; ++r) next = tile.lhs[r] == tile.lhs[0] + r * job_.unit_bytes();
    const ConvKernels& k = *job_.kernels;
    return p_.pairs ? next ? k.pair_tile_next : k.pair_tile : next ? k.tile_next : k.tile;
  }

  const ConvJob& job_;
  const ConvPlan& p_;
  const RhsCopy& rhs_;
  const ConvRowAxis& last_;
  std::vector<LineGroup> groups_;
  Split split_{};
  bool direct_ = false;  // sums are the result
  bool long_ = false;    // few rows, long sums
};

}  // namespace

const ConvKernels& conv_kernels(Isa isa, DType dtype) {
#if defined(__x86_64__)
  if (dtype == DType::f64 && isa >= Isa::avx2)
    return isa >= Isa::avx512 ? conv_kernels_f64_avx512() : conv_kernels_f64_avx2();
  switch (isa) {
    case Isa::avx2: return conv_kernels_avx2();
    case Isa::avx512: return conv_kernels_avx512();
    case Isa::avx512_bf16:
    case Isa::amx: return conv_kernels_avx512_bf16();
    case Isa::scalar: break;
  }
#else
  (void)isa;
#endif
  return dtype == DType::f64 ? conv_kernels_f64_scalar() : conv_kernels_scalar();
}

bool convolve(ConvJob job) {
  __int128 products = __int128(job.shape.result.elements()) * job.shape.in_features;
  for (const ConvAxis& a : job.shape.axes) products *= a.window;
  if (products <= kOneThreadWork) job.threads = 1;
  if (convolve_channels(job)) return true;
  const bool aligned = reinterpret_cast<uintptr_t>(job.lhs) % 4 == 0;
  if (!make_conv_plan(job.shape, job.layout, job.dtype, aligned, *job.kernels, &job.plan)) return false;
  const RhsCopy rhs(job);
  Runner runner(job, rhs);
  copy_operands(job, rhs, !runner.own_weights());
  runner.run();
  return true;
}

}  // namespace hearth
