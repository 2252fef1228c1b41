// SPDX-License-Identifier: Apache-2.0
#include "cli/evaluate_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "cli/progress_format.h"
#include "train/metrics/memory.h"

namespace hearth {
namespace {

// One number of a report, under the name that it has in JSON.
struct Measure {
  std::string name;
  double value = 0;
  std::optional<double> error = {};
  const char* format = "{:.4f}";
};

std::vector<Measure> measures(const EvaluatedModel& m) {
  std::vector<Measure> all;
  if (m.data) {
    all = {{"loss", m.data->loss}, {"perplexity", m.data->perplexity(), {}, "{:.6g}"}, {"accuracy", m.data->accuracy}};
    if (m.data->bytes > 0) all.push_back({"bits_per_byte", m.data->bits_per_byte()});
  }
  if (!m.answers) return all;
  const auto add = [&](const char* name, const Accuracy& a) { all.push_back({name, a.mean, a.standard_error}); };
  add("acc", m.answers->accuracy);
  add("acc_norm", m.answers->by_characters);
  add("acc_bytes", m.answers->by_bytes);
  if (!m.answers->scores.empty() && !m.answers->scores[0].unconditional.empty())
    add("acc_mutual_info", m.answers->by_mutual_information);
  return all;
}

Json model_json(const EvaluatedModel& m) {
  Json json;
  for (const Measure& one : measures(m)) {
    json[one.name] = one.value;
    if (one.error) json[one.name + "_stderr"] = *one.error;
  }
  if (m.data) {
    json.update({{"tokens", m.data->tokens},
                 {"blocks", m.blocks},
                 {"dropped_tokens", m.dropped_tokens},
                 {"tokens_per_second", double(m.data->tokens) / std::max(1e-9, m.data_seconds)}});
    if (m.data->bytes > 0) json["bytes"] = m.data->bytes;
    if (m.examples > 0)
      json.update({{"examples", m.examples}, {"truncated", m.truncated}, {"truncated_tokens", m.truncated_tokens}});
  }
  if (m.answers)
    json.update({{"questions", m.answers->questions},
                 {"choices", m.answers->choices},
                 {"truncated_choices", m.answers->truncated}});
  json["seconds"] = m.seconds;
  json["memory_bytes"] = peak_resident_bytes();
  return json;
}

std::string column_title(const EvaluatedModel& m, const std::vector<EvaluatedModel>& all) {
  const bool one_model = std::all_of(all.begin(), all.end(), [&](const auto& x) { return x.model == m.model; });
  const auto last = [](std::string path) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return file_name(path);
  };
  if (m.adapter.empty()) return last(m.model);
  return one_model ? last(m.adapter) : last(m.model) + " + " + last(m.adapter);
}

std::string text_of(const Measure& m) {
  std::string text = fmt::format(fmt::runtime(m.format), m.value);
  if (m.error) text += fmt::format(" ± {:.4f}", *m.error);
  return text;
}

size_t shown_width(const std::string& text) {  // characters: "±" has two bytes
  return size_t(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows[0].size(), 0);
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], shown_width(row[i]));
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) line += row[i] + std::string(widths[i] - shown_width(row[i]) + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string table(const std::vector<EvaluatedModel>& models) {
  std::vector<std::vector<std::string>> rows = {{""}};
  const std::vector<Measure> first = measures(models[0]);
  for (const Measure& m : first) rows.push_back({m.name, text_of(m)});
  rows[0].push_back(column_title(models[0], models));
  for (size_t c = 1; c < models.size(); ++c) {
    rows[0].insert(rows[0].end(), {column_title(models[c], models), "difference"});
    const std::vector<Measure> all = measures(models[c]);
    for (size_t i = 0; i < all.size(); ++i) {
      const double difference = all[i].value - first[i].value;
      const std::string sign = difference >= 0 ? "+" : "";
      rows[i + 1].insert(rows[i + 1].end(),
                         {text_of(all[i]), sign + fmt::format(fmt::runtime(all[i].format), difference)});
    }
  }
  return aligned(rows);
}

void add_counts(const EvaluatedModel& m, TextRows& rows) {
  if (m.data) rows.push_back({"tokens", format_count(m.data->tokens)});
  if (m.answers) rows.push_back({"questions", format_count(m.answers->questions)});
}

}  // namespace

Json evaluation_json(const std::vector<EvaluatedModel>& models) {
  if (models.size() == 1) return model_json(models[0]);
  Json all = Json::array(), differences = Json::array();
  const std::vector<Measure> first = measures(models[0]);
  for (const EvaluatedModel& m : models) {
    Json one = {{"model", m.model}, {"adapter", m.adapter.empty() ? Json() : Json(m.adapter)}};
    one.update(model_json(m));
    all.push_back(one);
    if (&m == &models[0]) continue;
    Json difference = Json::object();
    const std::vector<Measure> own = measures(m);
    for (size_t i = 0; i < own.size(); ++i) difference[own[i].name] = own[i].value - first[i].value;
    differences.push_back(difference);
  }
  return {{"models", all}, {"differences", differences}};
}

std::string evaluation_text(const std::vector<EvaluatedModel>& models) {
  TextRows rows;
  if (models.size() == 1)
    for (const Measure& m : measures(models[0])) rows.push_back({m.name, text_of(m)});
  add_counts(models[0], rows);
  return (models.size() > 1 ? table(models) + "\n" : "") + text_rows(rows);
}

std::string evaluation_remarks(const std::vector<EvaluatedModel>& models) {
  const EvaluatedModel& m = models[0];
  std::string text;
  if (m.dropped_tokens > 0)
    text += fmt::format("the last {} tokens fill no block and were left out\n", m.dropped_tokens);
  if (m.truncated > 0)
    text += fmt::format("{} examples were longer than --max-length and lost {} tokens\n", format_count(m.truncated),
                        format_count(m.truncated_tokens));
  if (m.answers && m.answers->truncated > 0)
    text += fmt::format("{} choices stand behind a question that lost its begin: it is longer than the context\n",
                        format_count(m.answers->truncated));
  return text;
}

std::string details_text(const std::vector<EvaluatedModel>& models, const std::vector<Question>& questions) {
  std::string text;
  for (const EvaluatedModel& m : models) {
    for (size_t i = 0; i < questions.size(); ++i) {
      const ChoiceScores& s = m.answers->scores[i];
      Json line = {{"question", i}, {"answer", questions[i].answer}, {"picked", pick(s)}};
      line["log_likelihoods"] = s.log_likelihoods;
      line["greedy"] = s.greedy;
      if (!s.unconditional.empty()) line["unconditional"] = s.unconditional;
      if (models.size() > 1) {
        line["model"] = m.model;
        line["adapter"] = m.adapter.empty() ? Json() : Json(m.adapter);
      }
      text += line.dump() + "\n";
    }
  }
  return text;
}

}  // namespace hearth
