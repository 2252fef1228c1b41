// SPDX-License-Identifier: Apache-2.0
#include "array/einsum_equation.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "base/error.h"

namespace hearth {
namespace {

constexpr int64_t kSearched = 5;  // operands up to which every order is tried

[[noreturn]] void unreadable(const std::string& text, const std::string& why) {
  HEARTH_CHECK(false, value, "einsum: cannot read '", text, "': ", why);
  std::abort();
}

// The letters of one operand as text, with '.' for an ellipsis.
std::string letters_of(const std::string& text, const std::string& term) {
  std::string out;
  for (size_t i = 0; i < term.size(); ++i) {
    const char c = term[i];
    if (std::isspace(static_cast<unsigned char>(c))) continue;
    if (c == '.') {
      if (term.compare(i, 3, "...") != 0 || out.find('.') != std::string::npos)
        unreadable(text, "an ellipsis is three dots, once in a term");
      i += 2;
    } else if (!std::isalpha(static_cast<unsigned char>(c))) {
      unreadable(text, cat("'", c, "' is no letter"));
    }
    out += c;
  }
  return out;
}

Labels labels_of(const std::string& letters, int64_t ellipsis_axes) {
  Labels labels;
  for (const char c : letters) {
    if (c != '.') {
      labels.push_back(c);
      continue;
    }
    for (int64_t i = ellipsis_axes; i > 0; --i) labels.push_back(kEllipsisLabel - int(i - 1));
  }
  return labels;
}

std::vector<std::string> split_terms(const std::string& inputs) {
  std::vector<std::string> terms(1);
  for (const char c : inputs) {
    if (c == ',')
      terms.emplace_back();
    else
      terms.back() += c;
  }
  return terms;
}

void add_sizes(EinsumEquation& e, const std::string& text, const Labels& labels, const Dims& dims, size_t operand) {
  for (size_t i = 0; i < labels.size(); ++i) {
    int64_t& size = e.sizes.try_emplace(labels[i], dims[i]).first->second;
    if (size == 1) size = dims[i];
    const std::string axis = labels[i] > 0 ? cat("'", char(labels[i]), "'") : std::string("'...'");
    HEARTH_CHECK(dims[i] == size || dims[i] == 1, shape, "einsum: sizes of ", axis, " differ: ", size, " != ", dims[i],
                 "\n  equation is '", text, "'\n  operand ", operand, " is ", ShowDims{dims});
  }
}

// Ellipsis axes first, then the letters that occur once, in alphabetical order.
Labels implicit_output(const EinsumEquation& e, int64_t ellipsis_axes) {
  std::map<Label, int> counts;
  for (const Labels& labels : e.operands)
    for (const Label label : labels) ++counts[label];
  Labels output = labels_of(".", ellipsis_axes);
  for (const auto& [label, count] : counts)
    if (label > 0 && count == 1) output.push_back(label);
  return output;
}

// The product of two operands keeps the labels that somebody else needs.
Labels product_labels(const Labels& a, const Labels& b, const std::vector<Labels>& others, const Labels& output) {
  Labels kept;
  for (const Labels* side : {&a, &b}) {
    for (const Label label : *side) {
      const bool needed = has_label(output, label) || std::any_of(others.begin(), others.end(),
                                                                  [&](const Labels& o) { return has_label(o, label); });
      if (needed && !has_label(kept, label)) kept.push_back(label);
    }
  }
  return kept;
}

double volume(const EinsumEquation& e, const Labels& labels) {
  double n = 1;
  for (const Label label : labels) n *= double(e.sizes.at(label));
  return n;
}

struct Step {
  std::vector<Labels> left;  // operands after it
  double flops = 0, growth = 0;
};
Step contract(const EinsumEquation& e, std::vector<Labels> operands, int64_t i, int64_t j) {
  const Labels a = operands[size_t(i)], b = operands[size_t(j)];
  operands.erase(operands.begin() + j);
  operands.erase(operands.begin() + i);
  Labels all = a;
  for (const Label label : b)
    if (!has_label(all, label)) all.push_back(label);
  const Labels product = product_labels(a, b, operands, e.output);
  operands.push_back(product);
  return {operands, volume(e, all), volume(e, product) - volume(e, a) - volume(e, b)};
}

// The order with the fewest multiplications, of all orders.
void search(const EinsumEquation& e, const std::vector<Labels>& operands, double flops, ContractionPath& path,
            std::pair<double, ContractionPath>& best) {
  if (flops >= best.first) return;
  if (operands.size() == 1) {
    best = {flops, path};
    return;
  }
  for (int64_t i = 0; i < int64_t(operands.size()); ++i) {
    for (int64_t j = i + 1; j < int64_t(operands.size()); ++j) {
      const Step step = contract(e, operands, i, j);
      path.emplace_back(i, j);
      search(e, step.left, flops + step.flops, path, best);
      path.pop_back();
    }
  }
}

// Takes the pair whose product adds least to what is stored; of equals the cheapest.
ContractionPath greedy(const EinsumEquation& e) {
  ContractionPath path;
  std::vector<Labels> operands = e.operands;
  while (operands.size() > 1) {
    Step best;
    std::pair<int64_t, int64_t> pair{-1, -1};
    for (int64_t i = 0; i < int64_t(operands.size()); ++i) {
      for (int64_t j = i + 1; j < int64_t(operands.size()); ++j) {
        Step step = contract(e, operands, i, j);
        if (pair.first >= 0 && std::pair(step.growth, step.flops) >= std::pair(best.growth, best.flops)) continue;
        best = std::move(step);
        pair = {i, j};
      }
    }
    path.push_back(pair);
    operands = best.left;
  }
  return path;
}

}  // namespace

bool has_label(const Labels& labels, Label label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

EinsumEquation read_equation(const std::string& text, const std::vector<Dims>& shapes) {
  const size_t arrow = text.find("->");
  const std::vector<std::string> terms = split_terms(text.substr(0, arrow));
  HEARTH_CHECK(terms.size() == shapes.size(), value, "einsum: '", text, "' names ", terms.size(), " operands, given ",
               shapes.size());
  std::vector<std::string> letters;
  int64_t ellipsis_axes = 0;
  Dims unnamed;
  for (size_t i = 0; i < terms.size(); ++i) {
    letters.push_back(letters_of(text, terms[i]));
    const bool ellipsis = letters[i].find('.') != std::string::npos;
    const int64_t rank = int64_t(shapes[i].size()), named = int64_t(letters[i].size()) - ellipsis;
    HEARTH_CHECK(ellipsis ? named <= rank : named == rank, shape, "einsum: term '", terms[i], "' of '", text,
                 "' does not fit operand ", i, ", which is ", ShowDims{shapes[i]});
    unnamed.push_back(rank - named);
    ellipsis_axes = std::max(ellipsis_axes, rank - named);
  }
  EinsumEquation e;
  for (size_t i = 0; i < terms.size(); ++i) {
    e.operands.push_back(labels_of(letters[i], unnamed[i]));
    add_sizes(e, text, e.operands[i], shapes[i], i);
  }
  if (arrow == std::string::npos) {
    e.output = implicit_output(e, ellipsis_axes);
    return e;
  }
  const std::string output = letters_of(text, text.substr(arrow + 2));
  if (ellipsis_axes > 0 && output.find('.') == std::string::npos)
    unreadable(text, "the result needs an ellipsis, as the operands have one");
  e.output = labels_of(output, ellipsis_axes);
  for (size_t i = 0; i < e.output.size(); ++i) {
    const Label label = e.output[i];
    const std::string name = label > 0 ? cat("'", char(label), "'") : std::string("'...'");
    if (!e.sizes.count(label)) unreadable(text, name + " of the result is in no operand");
    if (std::count(e.output.begin(), e.output.end(), label) > 1) unreadable(text, name + " is twice in the result");
  }
  return e;
}

ContractionPath contraction_path(const EinsumEquation& e) {
  if (int64_t(e.operands.size()) > kSearched) return greedy(e);
  std::pair<double, ContractionPath> best{std::numeric_limits<double>::infinity(), {}};
  ContractionPath path;
  search(e, e.operands, 0, path, best);
  return best.second.empty() && e.operands.size() > 1 ? greedy(e) : best.second;
}

}  // namespace hearth
