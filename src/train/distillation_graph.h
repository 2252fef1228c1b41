// SPDX-License-Identifier: Apache-2.0
#pragma once
// Distillation: the loss of a student that is to predict what a teacher predicts.

#include "train/batch_graph.h"

namespace hearth {

inline const std::string kTeacherPrefix = "teacher:";        // of inputs that are weights of the teacher
inline const std::string kTeacherHidden = "teacher.hidden";  // [B*T,E] of the teacher, in the type of the arithmetic

struct DistillationLoss {
  Value loss, divergence, cross_entropy;  // sums over the labels that count
};

// sum over rows that count of (1 - w) * (-log q_1[label]) + w * t^2 * sum_v p_t[v] (log p_t[v] - log q_t[v]),
// p_t = softmax(teacher's logits / t), q_t = softmax(student's logits / t). Rows go through in chunks, whose logits are
// computed again for the derivative, so neither model's logits exist whole: 4*N*V*(C_student + C_teacher) flops forward
// and backward, and 2*N*V*C_student for the derivative. Where the vocabularies have different sizes (padding), the
// divergence is over the tokens that both have. Source: Hinton et al. 2015, arXiv:1503.02531, sec. 2.
DistillationLoss distillation_loss(Graph& graph, BatchGraph& batch, const StepGraphOptions& options);

// The teacher's part, a plan of its own: inputs tokens (and segments, positions), output teacher.hidden.
std::unique_ptr<Graph> teacher_graph(const LanguageModel& teacher, const StepGraphOptions& options);

}  // namespace hearth
