// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "call.h"

namespace hearth {

namespace {

EyeOptions eye_options(const Call& c) {
  return {.columns = c.maybe<int64_t>("columns"), .k = c.integer("k"), .dtype = c.dtype()};
}

LinspaceOptions linspace_options(const Call& c) {
  return {.endpoint = c.get<bool>("endpoint", true), .dtype = c.maybe_dtype()};
}

std::complex<double> complex_option(const Call& c, const std::string& name) {
  return convert_number<std::complex<double>>(number_of(c.get<Json>(name)));
}

Array call_arange(const Call& c) {
  const Json numbers = c.get<Json>("numbers");
  const auto number = [&](size_t i) { return number_of(numbers.at(i)); };
  if (numbers.size() == 3) return arange_of(number(0), number(1), number(2), c.maybe_dtype());
  const auto integer = [&](size_t i) { return numbers.at(i).get<int64_t>(); };
  const bool whole = numbers.back().is_number_integer();
  if (numbers.size() == 2)
    return whole ? arange(integer(0), integer(1), 1, c.maybe_dtype())
                 : arange(numbers.at(0).get<double>(), numbers.at(1).get<double>(), 1, c.maybe_dtype());
  return whole ? arange(integer(0), c.maybe_dtype()) : arange(numbers.at(0).get<double>(), c.maybe_dtype());
}

const CallTable kFilled = {
    {"zeros", [](const Call& c) { return Arrays{zeros(c.dims("shape"), c.dtype())}; }},
    {"ones", [](const Call& c) { return Arrays{ones(c.dims("shape"), c.dtype())}; }},
    {"empty", [](const Call& c) { return Arrays{empty(c.dims("shape"), c.dtype())}; }},
    {"full", [](const Call& c) { return Arrays{full(c.dims("shape"), c[0], c.maybe_dtype())}; }},
    {"zeros_like", [](const Call& c) { return Arrays{zeros_like(c[0], c.maybe_dtype())}; }},
    {"ones_like", [](const Call& c) { return Arrays{ones_like(c[0], c.maybe_dtype())}; }},
    {"empty_like", [](const Call& c) { return Arrays{empty_like(c[0], c.maybe_dtype())}; }},
    {"full_like", [](const Call& c) { return Arrays{full_like(c[0], c[1], c.maybe_dtype())}; }},
    {"asarray", [](const Call& c) { return Arrays{asarray(c[0], c.maybe_dtype())}; }},
    {"arange", [](const Call& c) { return Arrays{call_arange(c)}; }},
    {"linspace",
     [](const Call& c) {
       return Arrays{
           linspace(complex_option(c, "start"), complex_option(c, "stop"), c.integer("num", 50), linspace_options(c))};
     }},
    {"logspace",
     [](const Call& c) {
       return Arrays{logspace(
           c.get<double>("start"), c.get<double>("stop"), c.integer("num", 50),
           {.base = c.get<double>("base", 10), .endpoint = c.get<bool>("endpoint", true), .dtype = c.dtype()})};
     }},
    {"geomspace",
     [](const Call& c) {
       return Arrays{
           geomspace(c.get<double>("start"), c.get<double>("stop"), c.integer("num", 50), linspace_options(c))};
     }},
};

const CallTable kMatrices = {
    {"eye", [](const Call& c) { return Arrays{eye(c.integer("n"), eye_options(c))}; }},
    {"identity", [](const Call& c) { return Arrays{identity(c.integer("n"), c.dtype())}; }},
    {"tri", [](const Call& c) { return Arrays{tri(c.integer("n"), eye_options(c))}; }},
    {"tril", [](const Call& c) { return Arrays{tril(c[0], c.integer("k"))}; }},
    {"triu", [](const Call& c) { return Arrays{triu(c[0], c.integer("k"))}; }},
    {"diag", [](const Call& c) { return Arrays{diag(c[0], c.integer("k"))}; }},
    {"diagflat", [](const Call& c) { return Arrays{diagflat(c[0], c.integer("k"))}; }},
    {"vander",
     [](const Call& c) {
       return Arrays{
           vander(c[0], {.columns = c.maybe<int64_t>("columns"), .increasing = c.get<bool>("increasing", false)})};
     }},
    {"meshgrid",
     [](const Call& c) {
       return meshgrid(c.arrays(), c.get<std::string>("indexing", "xy") == "ij" ? Indexing::ij : Indexing::xy);
     }},
    {"indices", [](const Call& c) { return Arrays{indices(c.dims("shape"), c.dtype(DType::i32))}; }},
};

const CallTable kTypes = {
    {"astype", [](const Call& c) { return Arrays{astype(c[0], c.dtype())}; }},
    {"can_cast",
     [](const Call& c) {
       const DType to = c.dtype();
       return Arrays{can_cast(c[0], to), can_cast(c[0].dtype(), to)};
     }},
    {"result_type",
     [](const Call& c) {
       return Arrays{text_array(name(result_type(c.arrays()))),
                     text_array(name(result_type({c[0].dtype(), c[1].dtype()})))};
     }},
    {"isdtype", [](const Call& c) { return Arrays{isdtype(c.dtype(), c.get<std::string>("kind"))}; }},
    {"finfo",
     [](const Call& c) {
       const FloatInfo f = finfo(c.dtype());
       return Arrays{hearth::array<double>({double(f.bits), f.eps, f.max, f.min, f.smallest_normal,
                                            f.smallest_subnormal, double(f.precision)}),
                     text_array(name(f.dtype))};
     }},
    {"iinfo",
     [](const Call& c) {
       const IntInfo f = iinfo(c.dtype());
       return Arrays{hearth::array<int64_t>({f.bits, f.min}), hearth::array<uint64_t>({f.max}),
                     text_array(name(f.dtype))};
     }},
    // The members of Array.
    {"members",
     [](const Call& c) {
       const Array& x = c[0];
       const bool dense = x.dtype() == DType::f32;
       return Arrays{x.astype(DType::f64),
                     x.reshape({-1}),
                     x.transpose(),
                     hearth::array(x.to_vector<double>()),
                     x.size() == 1 ? x.item<double>() : 0.0,
                     dense ? hearth::array(std::vector<float>(x.data_as<float>(), x.data_as<float>() + x.size())) : x,
                     hearth::array(x.shape()),
                     hearth::array<int64_t>({x.ndim(), x.size(), x.ndim() ? x.dim(-1) : -1}),
                     x.eval()};
     }},
    {"to_string", [](const Call& c) { return Arrays{text_array(c[0].to_string())}; }},
};

}  // namespace

void add_creation_calls(CallTable& table) {
  for (const CallTable* rows : {&kFilled, &kMatrices, &kTypes}) table.insert(rows->begin(), rows->end());
}

}  // namespace hearth
