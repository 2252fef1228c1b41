// SPDX-License-Identifier: Apache-2.0
// Linear algebra with its derivatives, Fourier transforms, einsum.
#include "base/error.h"
#include "call.h"

namespace hearth {

namespace {

const CallTable kProducts = {
    HEARTH_CALL_TWO(matmul),
    HEARTH_CALL_TWO(dot),
    HEARTH_CALL_TWO(vdot),
    HEARTH_CALL_TWO(inner),
    HEARTH_CALL_TWO(outer),
    HEARTH_CALL_TWO(kron),
    HEARTH_CALL_ONE(matrix_transpose),
    {"vecdot", [](const Call& c) { return Arrays{vecdot(c[0], c[1], c.integer("axis", -1))}; }},
    {"tensordot",
     [](const Call& c) {
       return Arrays{c.has("a_axes") ? tensordot(c[0], c[1], c.dims("a_axes"), c.dims("b_axes"))
                                     : tensordot(c[0], c[1], c.integer("axes", 2))};
     }},
    {"cross", [](const Call& c) { return Arrays{cross(c[0], c[1], c.integer("axis", -1))}; }},
    {"multi_dot", [](const Call& c) { return Arrays{multi_dot(c.arrays())}; }},
    {"matrix_power", [](const Call& c) { return Arrays{matrix_power(c[0], c.integer("n"))}; }},
    {"diagonal", [](const Call& c) { return Arrays{diagonal(c[0], c.integer("offset"))}; }},
    {"trace", [](const Call& c) { return Arrays{trace(c[0], c.integer("offset"), c.maybe_dtype())}; }},
    {"einsum", [](const Call& c) { return Arrays{einsum(c.get<std::string>("equation"), c.arrays())}; }},
    {"einsum_path",
     [](const Call& c) {
       std::vector<int64_t> flat;
       for (const auto& [a, b] : einsum_path(c.get<std::string>("equation"), c.arrays()))
         flat.insert(flat.end(), {a, b});
       return Arrays{hearth::array(flat)};
     }},
};

const CallTable kSystems = {
    HEARTH_CALL_TWO(solve),
    HEARTH_CALL_ONE(inv),
    HEARTH_CALL_ONE(det),
    HEARTH_CALL_ONE(expm),
    HEARTH_CALL_ONE(svdvals),
    HEARTH_CALL_ONE(eigvalsh),
    HEARTH_CALL_ONE(eigvals),
    {"slogdet",
     [](const Call& c) {
       const SignAndLogDet d = slogdet(c[0]);
       return Arrays{d.sign, d.logabsdet};
     }},
    {"pinv", [](const Call& c) { return Arrays{pinv(c[0], c.maybe<double>("rtol"))}; }},
    {"lstsq",
     [](const Call& c) {
       const LstsqResult r = lstsq(c[0], c[1], c.maybe<double>("rtol"));
       return Arrays{r.x, r.residuals, r.rank, r.singular_values};
     }},
    {"cholesky", [](const Call& c) { return Arrays{cholesky(c[0], {.upper = c.get<bool>("upper", false)})}; }},
    {"qr",
     [](const Call& c) {
       const QrResult f = qr(c[0], c.get<std::string>("mode", "reduced"));
       return Arrays{f.q, f.r};
     }},
    {"svd",
     [](const Call& c) {
       const SvdResult f = svd(c[0], {.full_matrices = c.get<bool>("full_matrices", true)});
       return Arrays{f.u, f.s, f.vh};
     }},
    {"eigh",
     [](const Call& c) {
       const EigResult e = eigh(c[0]);
       return Arrays{e.eigenvalues, e.eigenvectors};
     }},
    {"eig",
     [](const Call& c) {
       const EigResult e = eig(c[0]);
       return Arrays{e.eigenvalues, e.eigenvectors};
     }},
    {"matrix_norm",
     [](const Call& c) {
       return Arrays{
           matrix_norm(c[0], c.get<std::string>("ord", "fro"), c.has("axis") ? c.axes() : Axes{-2, -1}, c.keepdims())};
     }},
    {"vector_norm",
     [](const Call& c) {
       const double ord = c.has("ord") ? convert_number<double>(number_of(c.get<Json>("ord"))) : 2;
       return Arrays{vector_norm(c[0], {.axis = c.axes(), .keepdims = c.keepdims(), .ord = ord})};
     }},
    {"norm",
     [](const Call& c) {
       NumpyNormOptions options{.axis = c.axes(), .keepdims = c.keepdims()};
       const std::string order = c.has("ord") && c.get<Json>("ord").is_string() ? c.get<std::string>("ord") : "";
       if (order == "fro" || order == "nuc")
         options.ord = NormOrder(order.c_str());
       else if (c.has("ord"))
         options.ord = convert_number<double>(number_of(c.get<Json>("ord")));
       return Arrays{norm(c[0], options)};
     }},
    {"cond", [](const Call& c) { return Arrays{cond(c[0], c.get<std::string>("ord", "2"))}; }},
    {"matrix_rank", [](const Call& c) { return Arrays{matrix_rank(c[0], c.maybe<double>("rtol"))}; }},
};

// Functions of a matrix made of its factors, without what is not unique in those.
const CallTable kFunctions = {
    {"eigh.function",
     [](const Call& c) {
       const EigResult e = eigh(c[0]);
       return Arrays{matmul(e.eigenvectors * exp(-e.eigenvalues), conj(matrix_transpose(e.eigenvectors)))};
     }},
    {"svd.function",
     [](const Call& c) {
       const SvdResult f = svd(c[0], {.full_matrices = false});
       return Arrays{matmul(f.u / (f.s + 1), f.vh)};
     }},
};

FftOptions one_axis(const Call& c) {
  return {.n = c.maybe<int64_t>("n"), .axis = c.integer("axis", -1), .norm = c.get<std::string>("norm", "backward")};
}
FftnOptions some_axes(const Call& c) {
  return {.s = c.maybe<Dims>("s"), .axes = c.maybe<Dims>("axes"), .norm = c.get<std::string>("norm", "backward")};
}

#define HEARTH_CALL_FFT(f, options)                               \
  {                                                               \
#f, [](const Call& c) { return Arrays{f(c[0], options(c))}; } \
  }

const CallTable kFourier = {
    HEARTH_CALL_FFT(fft, one_axis),
    HEARTH_CALL_FFT(ifft, one_axis),
    HEARTH_CALL_FFT(rfft, one_axis),
    HEARTH_CALL_FFT(irfft, one_axis),
    HEARTH_CALL_FFT(hfft, one_axis),
    HEARTH_CALL_FFT(ihfft, one_axis),
    HEARTH_CALL_FFT(fftn, some_axes),
    HEARTH_CALL_FFT(ifftn, some_axes),
    HEARTH_CALL_FFT(rfftn, some_axes),
    HEARTH_CALL_FFT(irfftn, some_axes),
    HEARTH_CALL_FFT(fft2, some_axes),
    HEARTH_CALL_FFT(ifft2, some_axes),
    HEARTH_CALL_FFT(rfft2, some_axes),
    HEARTH_CALL_FFT(irfft2, some_axes),
    {"fftfreq", [](const Call& c) { return Arrays{fftfreq(c.integer("n"), c.get<double>("d", 1), c.dtype())}; }},
    {"rfftfreq", [](const Call& c) { return Arrays{rfftfreq(c.integer("n"), c.get<double>("d", 1), c.dtype())}; }},
    {"fftshift", [](const Call& c) { return Arrays{fftshift(c[0], c.maybe<Dims>("axes"))}; }},
    {"ifftshift", [](const Call& c) { return Arrays{ifftshift(c[0], c.maybe<Dims>("axes"))}; }},
};

}  // namespace

void add_linear_algebra_calls(CallTable& table) {
  for (const CallTable* rows : {&kProducts, &kSystems, &kFunctions, &kFourier})
    table.insert(rows->begin(), rows->end());
}

}  // namespace hearth
