// SPDX-License-Identifier: Apache-2.0
#include "array/npy.h"

#include <gtest/gtest.h>

#include "array/creation.h"
#include "base/file_test_folder.h"

namespace hearth {
namespace {

using Ints = std::vector<int64_t>;

std::string npy(const std::string& header, const std::string& elements, char version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += {version, 0, char(header.size()), 0};
  if (version > 1) bytes += {0, 0};
  return bytes + header + elements;
}

std::string format_error(const std::string& bytes) {
  return error_of(Kind::format, [&] { parse_npy(bytes, "a.npy"); });
}

TEST(Npy, every_dtype_comes_back) {
  const TestFolder folder;
  for (int t = 0; t < kDTypes; ++t) {
    const DType dtype = DType(t);
    if (dtype == DType::bf16) continue;
    SCOPED_TRACE(name(dtype));
    const Array x = arange(6).reshape({2, 3}).astype(dtype);
    save_npy(folder / "x.npy", x);
    const Array y = load_npy(folder / "x.npy");
    EXPECT_EQ(y.type(), x.type());
    EXPECT_EQ(std::memcmp(y.data(), x.data(), size_t(x.type().bytes())), 0);
  }
}

// numpy.save(numpy.array([1., 2.], numpy.float32))
TEST(Npy, writes_what_numpy_writes) {
  const std::string bytes = npy_bytes(array({1.0f, 2.0f}));
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  ASSERT_EQ(bytes.size(), 128u + 8);
  EXPECT_EQ(bytes.substr(10, header.size()), header);
  EXPECT_EQ(bytes[8], 118);
  EXPECT_EQ(bytes[127], '\n');
  EXPECT_EQ(parse_npy(npy_bytes(Array(3)), "").shape(), Dims{});
  EXPECT_EQ(parse_npy(npy_bytes(zeros({2, 0})), "").shape(), (Dims{2, 0}));
}

TEST(Npy, other_orders_and_versions) {
  const std::string big =
      npy("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 2)}", std::string("\0\1\0\2\0\3\1\0", 8));
  EXPECT_EQ(parse_npy(big, "").to_vector<int64_t>(), (Ints{1, 3, 2, 256}));
  for (const char version : {2, 3}) {
    const std::string x = npy("{\"shape\": (2L,), \"fortran_order\": False, \"descr\": '|u1'}", "\5\6", version);
    EXPECT_EQ(parse_npy(x, "").to_vector<int64_t>(), (Ints{5, 6}));
  }
  const std::string truths = npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}", std::string("\7\0", 2));
  EXPECT_EQ(parse_npy(truths, "").to_vector<int64_t>(), (Ints{1, 0}));
  const std::string z =
      npy("{'descr': '>c8', 'fortran_order': False, 'shape': ()}", std::string("\x3f\x80\0\0\x40\0\0\0", 8));
  EXPECT_EQ(parse_npy(z, "").item<std::complex<float>>(), std::complex<float>(1, 2));
}

TEST(Npy, errors_name_file_and_byte) {
  EXPECT_EQ(format_error("hello"), "npy: a.npy: byte 0: does not begin with \\x93NUMPY");
  EXPECT_EQ(format_error(npy("{}", "", 9)), "npy: a.npy: byte 6: format 9.0 is unknown; there are 1.0, 2.0 and 3.0");
  EXPECT_EQ(format_error(npy("{}", "").substr(0, 11)),
            "npy: a.npy: byte 8: a header of 2 bytes, the file ends after 11");
  EXPECT_EQ(format_error(npy("{'descr': 7}", "")), "npy: a.npy: byte 20: expected a quoted word");
  EXPECT_EQ(format_error(npy("{'shape': (-1,)}", "")), "npy: a.npy: byte 21: expected a size");
  EXPECT_EQ(format_error(npy("{}", "")), "npy: a.npy: byte 10: the header needs descr, fortran_order and shape");
  EXPECT_EQ(format_error(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "12345678")),
            "npy: a.npy: byte 65: f32[3] has 12 bytes, the file 8");
  EXPECT_TEXT(format_error(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 0)}", "")),
              "has more elements than can be counted");
  EXPECT_EQ(error_of(Kind::unsupported,
                     [] { parse_npy(npy("{'descr': '<V2', 'fortran_order': False, 'shape': ()}", "12"), "a.npy"); }),
            "npy: a.npy: Hearth has no type for '<V2', raw bytes of which NumPy does not say that they are bf16\n"
            "  hint: save x.astype(numpy.float32)");
  EXPECT_TEXT(error_of(Kind::unsupported, [] { npy_bytes(zeros({2}, DType::bf16)); }), "NumPy has no type for bf16");
  EXPECT_TEXT(error_of(Kind::file, [] { load_npy("no/such/file.npy"); }), "no/such/file.npy");
}

TEST(Npz, comes_back) {
  const TestFolder folder;
  save_npz(folder / "x.npz", {{"a", arange(3)}, {"b/c", ones({2, 2})}, {"none", zeros({0})}});
  const NamedArrays back = load_npz(folder / "x.npz");
  ASSERT_EQ(back.size(), 3u);
  EXPECT_EQ(back.at("a").to_vector<int64_t>(), (Ints{0, 1, 2}));
  EXPECT_EQ(back.at("b/c").type(), (TensorType{DType::f32, {2, 2}}));
  save_npz(folder / "empty.npz", {});
  EXPECT_TRUE(load_npz(folder / "empty.npz").empty());
}

// numpy.savez_compressed(x=numpy.arange(4, dtype=numpy.uint8))
const unsigned char kDeflated[] = {
#include "array/npz_deflated_test.inc"
};
std::string deflated() { return {reinterpret_cast<const char*>(kDeflated), sizeof kDeflated}; }

TEST(Npz, reads_what_numpy_compresses) {
  EXPECT_EQ(parse_npz(deflated(), "x.npz").at("x").to_vector<int64_t>(), (Ints{0, 1, 2, 3}));
}

TEST(Npz, errors_name_file_and_byte) {
  const auto text = [](const std::string& bytes) { return error_of(Kind::format, [&] { parse_npz(bytes, "x.npz"); }); };
  EXPECT_EQ(text("PK"), "npz: x.npz: byte 0: too short for a zip archive");
  EXPECT_EQ(text(std::string(30, ' ')), "npz: x.npz: byte 0: no end of a zip archive");
  const TestFolder folder;
  save_npz(folder / "x.npz", {{"a", arange(3)}});
  std::string bytes = read_file(folder / "x.npz", 1 << 20);
  bytes[30 + 5 + 20 + 128] ^= 1;  // the first element
  EXPECT_EQ(text(bytes), "npz: x.npz: byte 0: the checksum of 'a.npy' is wrong");
}

// Every byte changed and every length: an Error or an array, nothing else.
TEST(Npz, damage_is_an_error) {
  const TestFolder folder;
  save_npz(folder / "x.npz", {{"a", arange(3)}, {"b", zeros({2, 2})}});
  int refused = 0, tried = 0;
  for (const std::string& good : {deflated(), read_file(folder / "x.npz", 1 << 20), npy_bytes(arange(3))}) {
    const bool is_npy = good[0] != 'P';
    const auto parse = [&](const std::string& bytes) {
      ++tried;
      try {
        is_npy ? void(parse_npy(bytes, "x")) : void(parse_npz(bytes, "x"));
      } catch (const Error&) {
        ++refused;
      }
    };
    for (size_t i = 0; i < good.size(); ++i) {
      parse(good.substr(0, i));
      for (const int flip : {1, 0x80, 0xff}) {
        std::string bad = good;
        bad[i] = char(bad[i] ^ flip);
        parse(bad);
      }
    }
  }
  EXPECT_GT(refused, tried / 2);
}

}  // namespace
}  // namespace hearth
