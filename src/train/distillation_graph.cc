// SPDX-License-Identifier: Apache-2.0
#include "train/distillation_graph.h"

#include <algorithm>

#include "array/transforms.h"
#include "ops/elementwise/elementwise.h"
#include "ops/linear_cross_entropy/linear_cross_entropy_chunk.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"
#include "ops/softmax/softmax.h"

namespace hearth {
namespace {

Value rows_of(const Value& x, int64_t begin, int64_t end) {
  if (x.rank() == 1) return slice(x, {begin}, {end});
  return slice(x, {begin, 0}, {end, x.dim(1)});
}

// {divergence, cross-entropy} of a chunk, summed: student's and teacher's logits [n,V] f32, labels [n].
std::vector<Value> chunk_losses(Value student, Value teacher, const Value& labels, double temperature) {
  Graph& graph = *labels.graph;
  const int64_t n = student.dim(0), V = std::min(student.dim(1), teacher.dim(1));
  const Value label = reshape(labels, {n, 1});
  const Value counts = compare("GE", label, constant(graph, 0, DType::i32));
  const Value hit = compare("EQ", iota(graph, DType::i32, student.dims(), 1), label);
  const auto summed = [&](const Value& x) {  // of the rows that count
    return reduce_sum(select(counts, sum_last(x), constant(graph, 0)), {0, 1});
  };
  const Value cross_entropy = 0.0 - summed(select(hit, log_softmax(student), scalar_like(student, 0)));
  const auto softened = [&](const Value& x) { return log_softmax(slice(x, {0, 0}, {n, V}) * (1 / temperature)); };
  const Value p = softened(teacher), q = softened(student);
  return {summed(exp(p) * (p - q)), cross_entropy};
}

}  // namespace

DistillationLoss distillation_loss(Graph& graph, BatchGraph& batch, const StepGraphOptions& o) {
  const LanguageModel& teacher = *o.objective.teacher;
  WeightInputs teacher_weights(graph, teacher, kTeacherPrefix);
  const ModelGraph teaching{.spec = teacher.spec(), .dtype = o.dtype, .weight = [&](const std::string& name) {
                              return teacher_weights(name);
                            }};
  const std::string& output = teacher.spec().tied ? teacher.spec().embedding : teacher.spec().output.name;
  const int64_t N = batch.hidden().dim(0), width = teacher.tensor(output + ".weight").type.dims[1];
  const Value hidden = graph.input(kTeacherHidden, {o.dtype, {N, width}});
  const Value labels = batch.labels();
  const int64_t rows = cross_entropy_chunk(N, std::max(batch.vocabulary(), teacher.spec().vocab));
  DistillationLoss all;
  for (int64_t begin = 0; begin < N; begin += rows) {
    const int64_t end = std::min(N, begin + rows);
    const Function chunk = [&](const std::vector<Value>& in) {
      return chunk_losses(convert(batch.logits(in[0]), DType::f32), convert(model_logits(teaching, in[1]), DType::f32),
                          in[2], o.objective.distillation.temperature);
    };
    const std::vector<Value> part = checkpoint(chunk)(
        {rows_of(batch.hidden(), begin, end), rows_of(hidden, begin, end), rows_of(labels, begin, end)});
    all.divergence = begin == 0 ? part[0] : all.divergence + part[0];
    all.cross_entropy = begin == 0 ? part[1] : all.cross_entropy + part[1];
  }
  const double t = o.objective.distillation.temperature, w = o.objective.distillation.weight;
  all.loss = all.cross_entropy * (1 - w) + all.divergence * (w * t * t);
  return all;
}

std::unique_ptr<Graph> teacher_graph(const LanguageModel& teacher, const StepGraphOptions& o) {
  auto graph = std::make_unique<Graph>();
  BatchGraph batch(*graph, teacher, o, nullptr);
  graph->output(kTeacherHidden, convert(batch.hidden(), o.dtype));
  return graph;
}

}  // namespace hearth
