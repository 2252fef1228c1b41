// SPDX-License-Identifier: Apache-2.0
#include "io/safetensors.h"

#include <cstring>

#include "base/file_test_folder.h"

namespace hearth {

static std::string file_bytes(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

static std::string error_for(const std::string& bytes, Kind kind = Kind::format) {
  const TestFolder folder;
  write_file_atomic(folder / "m.safetensors", bytes);
  const std::string text = error_of(kind, [&] { SafetensorsFile::open(folder / "m.safetensors"); });
  EXPECT_TEXT(text, "m.safetensors: ");
  EXPECT_TEXT(text, "\n  file " + folder.path() + "/m.safetensors");
  return text;
}

// One tensor "w" with the given description.
static std::string with_tensor(const std::string& info, int64_t data_bytes) {
  return file_bytes("{\"w\":" + info + "}", std::string(static_cast<size_t>(data_bytes), '\0'));
}

TEST(Safetensors, reads_every_type_of_the_real_library) {
  const auto file = SafetensorsFile::open(source_file("tests/assets/io/all_types.safetensors"));
  EXPECT_EQ(file->names().size(), 16u);
  EXPECT_EQ(file->names().front(), "u64");
  EXPECT_EQ(file->metadata(), (Metadata{{"format", "pt"}}));
  const auto type = [&](const char* name) { return cat(file->find(name)->type); };
  EXPECT_EQ(type("z.f64"), "f64[2]");
  EXPECT_EQ(type("a.f32"), "f32[2,2]");
  EXPECT_EQ(type("b.f16"), "f16[3]");
  EXPECT_EQ(type("c.bf16"), "bf16[5]");
  EXPECT_EQ(type("m.i64") + type("i32") + type("i16") + type("i8"), "i64[2]i32[3]i16[3]i8[3]");
  EXPECT_EQ(type("u64") + type("u32") + type("u16") + type("u8"), "u64[3]u32[3]u16[3]u8[3]");
  EXPECT_EQ(type("q.bool") + type("scalar") + type("empty"), "bool[3]f32[]f32[0,4]");
  EXPECT_EQ(file->find("none"), nullptr);
  float values[4];
  std::memcpy(values, file->find("a.f32")->data, sizeof values);
  EXPECT_EQ(values[3], 3.0f);
  bf16 four;
  std::memcpy(&four, file->find("c.bf16")->data + 8, 2);
  EXPECT_EQ(float(four), 4.0f);
}

TEST(Safetensors, a_tensor_keeps_its_file_mapped) {
  TensorRef tensor;
  { tensor = *SafetensorsFile::open(source_file("tests/assets/io/all_types.safetensors"))->find("scalar"); }
  float value = 0;
  std::memcpy(&value, tensor.data, 4);
  EXPECT_EQ(value, 3.5f);
}

TEST(Safetensors, writes_the_bytes_of_the_real_library) {
  const TestFolder folder;
  for (const char* name : {"tests/assets/io/all_types.safetensors", "tests/assets/io/no_metadata.safetensors",
                           "tests/assets/io/no_tensors.safetensors", "tests/assets/io/nothing.safetensors",
                           "tests/assets/reference/lora_init/adapter_model.safetensors",
                           "assets/prose-14m/model-00001-of-00003.safetensors"}) {
    const auto file = SafetensorsFile::open(source_file(name));
    std::vector<TensorRef> tensors;
    for (const std::string& tensor : file->names()) tensors.insert(tensors.begin(), *file->find(tensor));
    write_safetensors(folder / "copy", tensors, file->metadata());
    EXPECT_TRUE(read_file(folder / "copy", 1 << 28) == read_file(source_file(name), 1 << 28)) << name;
  }
}

TEST(Safetensors, names_must_differ_and_have_a_type) {
  const TestFolder folder;
  const auto write = [&](const std::vector<TensorRef>& tensors) { write_safetensors(folder / "x", tensors); };
  const std::byte zeros[8] = {};
  const TensorRef one{"a", {DType::f32, {1}}, zeros, nullptr}, two{"a", {DType::f32, {2}}, zeros, nullptr};
  EXPECT_TEXT(error_of(Kind::value, [&] { write({one, two}); }), "two tensors are called 'a'");
  const TensorRef complex{"z", {DType::complex64, {1}}, zeros, nullptr};
  EXPECT_TEXT(error_of(Kind::unsupported, [&] { write({complex}); }), "'z' is complex64[1]");
  EXPECT_TRUE(list_folder(folder.path()).empty());
}

TEST(Safetensors, misaligned_tensors_are_copied_to_an_aligned_place) {
  const TestFolder folder;
  const float value = 1.5f;
  const std::string bytes(reinterpret_cast<const char*>(&value), 4);
  const std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                             R"("b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})";
  write_file_atomic(folder / "x", file_bytes(header, "?" + bytes));
  const auto file = SafetensorsFile::open(folder / "x");
  const TensorRef* tensor = file->find("b");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor->data) % 4, 0u);
  EXPECT_EQ(std::memcmp(tensor->data, &value, 4), 0);
  EXPECT_EQ(file->find("b")->data, tensor->data);
}

TEST(Safetensors, refuses_a_bad_header) {
  EXPECT_TEXT(error_for("1234567"), "has 7 bytes; a safetensors file starts with 8 bytes");
  EXPECT_TEXT(error_for(""), "has 0 bytes");
  EXPECT_TEXT(error_for(std::string(8, '\xff')),
              "the header length at byte 0 is 18446744073709551615, more than the 100000000");
  EXPECT_TEXT(error_for(file_bytes("{}", "").substr(0, 9)),
              "the header should end at byte 10, but the file ends at 9: it is cut short");
  EXPECT_TEXT(error_for(file_bytes("", "")), "no JSON object starts at byte 8");
  EXPECT_TEXT(error_for(file_bytes("[1]", "")), "no JSON object starts at byte 8");
  EXPECT_TEXT(error_for(file_bytes("{\"a\":}", "")), "not valid JSON at byte 13");
  EXPECT_TEXT(error_for(file_bytes(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{}})", "")),
              "the key 'a' appears twice");
  EXPECT_TEXT(error_for(file_bytes("{\"__metadata__\":{\"a\":1}}", "")), "__metadata__ 'a' must be a string");
  EXPECT_TEXT(error_for(file_bytes("{\"__metadata__\":[]}", "")), "__metadata__ must be an object of strings");
  EXPECT_TEXT(error_for(file_bytes("{\"a\":" + std::string(50, '['), "")), "nested deeper than 8");
}

TEST(Safetensors, refuses_a_bad_tensor) {
  EXPECT_TEXT(error_for(with_tensor("3", 0)), "tensor 'w' must be an object");
  EXPECT_TEXT(error_for(with_tensor(R"({"dtype":"F32","shape":[1]})", 4)), "tensor 'w' has no 'data_offsets'");
  EXPECT_TEXT(error_for(with_tensor(R"({"dtype":"X9","shape":[1],"data_offsets":[0,4]})", 4)), "unknown dtype 'X9'");
  EXPECT_TEXT(error_for(with_tensor(R"({"dtype":7,"shape":[1],"data_offsets":[0,4]})", 4)), "dtype must be a string");
  EXPECT_TEXT(error_for(with_tensor(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})", 4)), "found -1");
  EXPECT_TEXT(error_for(with_tensor(R"({"dtype":"F32","shape":[1.0],"data_offsets":[0,4]})", 4)), "found 1.0");
  EXPECT_TEXT(error_for(with_tensor(R"({"dtype":"F32","shape":4,"data_offsets":[0,4]})", 4)), "shape must be a list");
  EXPECT_TEXT(error_for(with_tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[0]})", 4)), "must be [begin, end]");
  EXPECT_TEXT(error_for(with_tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})", 4)),
              "ends at 0 before it begins at 4");
  EXPECT_TEXT(error_for(with_tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})", 4)),
              "tensor 'w' is f32[2] = 8 bytes, but data_offsets [0, 4] give it 4");
  EXPECT_TEXT(error_for(with_tensor(R"({"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]})", 0)),
              "does not fit 63 bits");
  EXPECT_TEXT(error_for(with_tensor(R"({"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]})", 0)),
              "does not fit 63 bits");
  EXPECT_TEXT(error_for(with_tensor(R"({"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,0]})", 0)),
              "non-negative integers");
}

TEST(Safetensors, refuses_bad_offsets) {
  const auto two = [](const char* a, const char* b, size_t data) {
    return file_bytes(cat("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":", a,
                          "},\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":", b, "}}"),
                      std::string(data, 'x'));
  };
  EXPECT_TEXT(error_for(two("[0,4]", "[2,6]", 6)), "tensor 'b' at byte 115 overlaps 'a', which ends at 117");
  EXPECT_TEXT(error_for(two("[0,4]", "[0,4]", 4)), "overlaps 'a'");
  EXPECT_TEXT(error_for(two("[0,4]", "[5,9]", 9)), "bytes 117..118 before tensor 'b' belong to no tensor");
  EXPECT_TEXT(error_for(two("[1,5]", "[5,9]", 9)), "bytes 113..114 before tensor 'a' belong to no tensor");
  EXPECT_TEXT(error_for(two("[0,4]", "[4,8]", 7)),
              "tensor 'b' should end at byte 121, but the file ends at 120: it is cut short");
  EXPECT_TEXT(error_for(two("[0,4]", "[4,8]", 9)), "1 bytes from byte 121 on belong to no tensor");
}

TEST(Safetensors, control_characters_of_names_do_not_reach_the_terminal) {
  EXPECT_TEXT(error_for(file_bytes("{\"a\\u001b[2J\\u0000\":3}", "")), "tensor 'a\\x1b[2J\\x00' must be an object");
}

TEST(Safetensors, types_that_hearth_has_not_are_named) {
  const std::string path = source_file("tests/assets/io/float8.safetensors");
  EXPECT_TEXT(error_of(Kind::unsupported, [&] { SafetensorsFile::open(path); }),
              "float8.safetensors: tensor 'w' has element type F8_E4M3, which Hearth does not read");
}

}  // namespace hearth
