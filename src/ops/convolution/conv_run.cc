// SPDX-License-Identifier: Apache-2.0
// Rows times weights: tasks are blocks of rows by panels of columns, whose sums stay in the L2 of the core that owns
// the task while blocks of terms pass. Bound by arithmetic but for windows of one position and for groups.
#include "ops/convolution/conv_run.h"

#include <algorithm>

#include "base/threads.h"
#include "ops/matmul/gemm_driver.h"

namespace hearth {
namespace {

constexpr int64_t kBlockTerms = 1024;        // of a panel of weights: 128 KiB stay in L2 while rows pass
constexpr int64_t kTaskSums = 48 << 10;      // floats
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
};

struct Task {
  const LineGroup* group;
  int64_t part;
  Range lines, outputs, panels;
};

class Runner {
 public:
  explicit Runner(const ConvJob& job) : job_(job), p_(job.plan), last_(p_.rows.back()) {
    std::vector<const ConvClass*> classes(p_.rows.size() - 1);
    add_groups(0, classes);
    choose_split();
  }

  void run() {
    std::vector<Task> tasks;
    for (const LineGroup& group : groups_) add_tasks(group, &tasks);
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
      group.runs.push_back(conv_runs(p_, spatial, kBlockTerms));
    }
    groups_.push_back(std::move(group));
  }

  int tile_rows() const { return p_.form == ConvForm::groups ? job_.kernels->lane_rows : job_.kernels->rows; }

  void choose_split() {
    const int64_t panels = job_.panels(), width = job_.panel_width(), tile = tile_rows();
    direct_ = job_.dtype == DType::f32 && p_.out_step == 1 && p_.columns % job_.kernels->lanes == 0;
    const bool near = p_.terms() * panels * width * 4 <= kNearWeights;
    split_.panels = near ? std::min<int64_t>(panels, 16) : std::min<int64_t>(panels, 4);
    int64_t rows = (near ? 32 : 64) * tile;
    if (!direct_) rows = std::max<int64_t>(tile, std::min(rows, kTaskSums / (split_.panels * width) / tile * tile));
    for (;;) {  // until there are enough tasks for an even share of each thread
      set_rows(rows);
      if (job_.threads == 1 || task_count() >= kTasksPerThread * job_.threads) return;
      if (rows > 8 * tile || (split_.panels == 1 && rows > tile))
        rows = round_up(rows / 2, tile);
      else if (split_.panels > 1)
        split_.panels = ceil_div(split_.panels, 2);
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
    for (const LineGroup& group : groups_) lines += ceil_div(group.lines, split_.lines);
    return lines * p_.parts * ceil_div(last_.size, split_.outputs) * ceil_div(job_.panels(), split_.panels);
  }

  void add_tasks(const LineGroup& group, std::vector<Task>* tasks) const {
    for (int64_t part = 0; part < p_.parts; ++part) {
      for (int64_t j = 0; j < job_.panels(); j += split_.panels) {
        for (int64_t line = 0; line < group.lines; line += split_.lines) {
          for (int64_t o = 0; o < last_.size; o += split_.outputs)
            tasks->push_back({&group,
                              part,
                              {line, std::min(line + split_.lines, group.lines)},
                              {o, std::min(o + split_.outputs, last_.size)},
                              {j, std::min(j + split_.panels, job_.panels())}});
        }
      }
    }
  }

  struct TaskRows {
    std::vector<const float*> lhs;  // class by class, line by line
    std::vector<float*> sums;
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
    const float* lhs = job_.lhs_units + (p_.form == ConvForm::groups ? 0 : task.part * p_.part_stride);
    const int64_t lines = task.lines.size(), outputs = task.outputs.size();
    rows->lhs.clear();
    rows->class_begin.clear();
    rows->row_of.resize(size_t(lines * outputs));
    rows->to_rows.resize(size_t(lines * outputs));
    std::vector<int64_t> from(size_t(lines), 0), to(size_t(lines), 0);
    for (int64_t i = 0; i < lines; ++i)
      line_offsets(*task.group, task.lines.begin + i, &from[size_t(i)], &to[size_t(i)]);
    for (const ConvClass& c : last_.classes) {
      const auto index = [&](int64_t o) {
        return std::min(c.count, ceil_div(std::max<int64_t>(0, o - c.first), c.step));
      };
      const Range range{index(task.outputs.begin), index(task.outputs.end)};
      rows->class_begin.push_back(int64_t(rows->lhs.size()));
      for (int64_t i = 0; i < lines; ++i) {
        for (int64_t j = range.begin; j < range.end; ++j) {
          const int64_t o = c.first + j * c.step;
          const size_t at = size_t(i * outputs + o - task.outputs.begin);
          rows->row_of[at] = int64_t(rows->lhs.size());
          rows->to_rows[at] = to[size_t(i)] + o * last_.out_stride;
          rows->lhs.push_back(lhs + from[size_t(i)] + j * c.lhs_step * last_.lhs_stride);
        }
      }
    }
    rows->class_begin.push_back(int64_t(rows->lhs.size()));
  }

  void run_task(const Task& task) const {
    static thread_local TaskRows rows;
    list_rows(task, &rows);
    const int64_t width = job_.panel_width(), ld = task.panels.size() * width, count = int64_t(rows.lhs.size());
    const int64_t first = task.panels.begin * width;
    char* out = static_cast<char*>(job_.out) + (task.part * p_.out_part + first * p_.out_step) * size_bytes(job_.dtype);
    rows.sums.resize(size_t(count));
    float* block = direct_ ? nullptr : reinterpret_cast<float*>(gemm_scratch().block.at_least(count * ld * 4));
    for (size_t at = 0; at < size_t(count); ++at) {
      int64_t& row = rows.row_of[at];
      rows.sums[size_t(row)] = direct_ ? reinterpret_cast<float*>(out) + rows.to_rows[at] : block + row * ld;
      row *= ld;
    }
    for (size_t c = 0; c < last_.classes.size(); ++c)
      multiply(task, task.group->runs[c], rows, {rows.class_begin[c], rows.class_begin[c + 1]});
    if (direct_) return;
    ConvStore store{
        .from = block, .from_rows = rows.row_of.data(), .to = out, .dtype = job_.dtype, .to_rows = rows.to_rows.data()};
    store.to_step = p_.out_step;
    store.rows = count;
    store.cols = std::min(p_.columns - first, ld);
    job_.kernels->store(store);
  }

  // The tiles of rows [range) over all terms and panels.
  void multiply(const Task& task, const ConvRuns& runs, const TaskRows& rows, Range range) const {
    const int64_t width = job_.panel_width();
    const bool lanes = p_.form == ConvForm::groups;
    ConvTile tile{.step = runs.step, .w_stride = width};
    std::vector<const float*> shifted;  // lanes: rows of lhs from the panel's first group on
    for (size_t block = 0; block + 1 < runs.blocks.size(); ++block) {
      tile.runs = runs.runs.data() + runs.blocks[block];
      tile.run_count = int64_t(runs.blocks[block + 1] - runs.blocks[block]);
      tile.add = block > 0;
      for (int64_t j = task.panels.begin; j < task.panels.end; ++j) {
        const int two = p_.columns - j * width > job_.kernels->lanes ? 1 : 0;
        tile.w = job_.weights + (task.part * job_.panels() + j) * p_.terms() * width;
        tile.out_offset = (j - task.panels.begin) * width;
        const float* const* lhs = rows.lhs.data();
        if (lanes && j > 0) {
          shifted.assign(rows.lhs.begin(), rows.lhs.end());
          for (const float*& row : shifted) row += j * width;
          lhs = shifted.data();
        }
        for (int64_t i = range.begin; i < range.end; i += tile.rows) {
          tile.rows = std::min<int64_t>(tile_rows(), range.end - i);
          tile.lhs = lhs + i;
          tile.out = rows.sums.data() + i;
          (lanes ? job_.kernels->lane_tile : kernels_for(tile))[two](tile);
        }
      }
    }
  }

  using Kernels = void (*const (&)[2])(const ConvTile&);
  Kernels kernels_for(const ConvTile& tile) const {
    bool next = p_.form == ConvForm::batch;
    for (int64_t r = 1; next && r < tile.rows; ++r) next = tile.lhs[r] == tile.lhs[0] + r;
    const ConvKernels& k = *job_.kernels;
    return p_.pairs ? next ? k.pair_tile_next : k.pair_tile : next ? k.tile_next : k.tile;
  }

  const ConvJob& job_;
  const ConvPlan& p_;
  const ConvRowAxis& last_;
  std::vector<LineGroup> groups_;
  Split split_{};
  bool direct_ = false;  // sums are the result
};

}  // namespace

const ConvKernels& conv_kernels(Isa isa) {
#if defined(__x86_64__)
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
  return conv_kernels_scalar();
}

bool convolve(ConvJob job) {
  const bool aligned = reinterpret_cast<uintptr_t>(job.lhs) % 4 == 0;
  if (!make_conv_plan(job.shape, job.layout, job.dtype, aligned, *job.kernels, &job.plan)) return false;
  if (job.shape.result.elements() * job.plan.terms() <= kOneThreadWork) job.threads = 1;
  copy_operands(job);
  Runner(job).run();
  return true;
}

}  // namespace hearth
