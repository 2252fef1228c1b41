// SPDX-License-Identifier: Apache-2.0
#include "io/config_names.h"

namespace hearth {

// {"rope_theta": t, "rope_type": "default"} -> rope_theta t, rope_scaling null; other types keep their numbers in
// rope_scaling. The rotated part of a head stands beside it, too.
static bool split_rope(const Json& rope, const Json& config, Json* out) {
  if (!rope.is_object() || config.contains("rope_theta") || config.contains("rope_scaling")) return false;
  for (const auto& [key, value] : rope.items()) {
    if (value.is_object()) return false;  // per kind of layer
  }
  Json scaling = rope;
  const bool neox = config.value("model_type", Json()) == "gpt_neox";
  const std::pair<const char*, const char*> names[] = {
      {"rope_theta", neox ? "rotary_emb_base" : "rope_theta"},
      {"partial_rotary_factor", neox ? "rotary_pct" : "partial_rotary_factor"}};
  for (const auto& [name, old] : names) scaling.erase(name);
  const auto type = scaling.find("rope_type");
  const bool plain = type == scaling.end() || *type == "default";
  (*out)["rope_scaling"] = plain ? Json(nullptr) : scaling;
  for (const auto& [name, old] : names) {
    if (rope.contains(name)) (*out)[old] = rope[name];
  }
  return true;
}

Json with_v4_names(const Json& config) {
  if (!config.is_object()) return config;
  Json out = Json::object();
  for (const auto& [key, value] : config.items()) {
    if (key == "dtype" && !config.contains("torch_dtype")) {
      out["torch_dtype"] = value;
    } else if (key != "rope_parameters" || !split_rope(value, config, &out)) {
      out[key] = value;
    }
  }
  return out;
}

static const char* torch_name(DType dtype) {
  return dtype == DType::f32 ? "float32" : dtype == DType::bf16 ? "bfloat16" : "float16";
}

Json with_dtype(Json config, DType dtype) {
  bool found = false;
  for (auto& [key, value] : config.items()) {
    if (key == "dtype" || key == "torch_dtype") {
      value = torch_name(dtype);
      found = true;
    } else if (value.is_object() && (value.contains("dtype") || value.contains("torch_dtype"))) {
      value = with_dtype(value, dtype);  // text_config
    }
  }
  if (found) return config;
  const auto version = config.find("transformers_version");
  const bool is_new = version != config.end() && version->is_string() && version->get<std::string>().rfind("5", 0) == 0;
  config[is_new ? "dtype" : "torch_dtype"] = torch_name(dtype);
  return config;
}

}  // namespace hearth
